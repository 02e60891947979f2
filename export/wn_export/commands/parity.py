"""wn-parity: hold every engine of a model directory against PyTorch."""

from __future__ import annotations

from pathlib import Path

import click

from wn_export.commands import result
from wn_export.parity import prove, reference
from wn_export.parity.expected import Reference
from wn_export.parity.prove import Proof
from wn_export.parity.report import KEYS
from wn_runtime.commands import complete, next_step, say
from wn_runtime.commands.command import command
from wn_runtime.commands.given import a_path
from wn_runtime.engines.registry import ENGINES
from wn_runtime.errors import WavestepError
from wn_runtime.heads.bits import in_words, more_for_16
from wn_runtime.model.locating import locate
from wn_runtime.model.package import ModelPackage
from wn_train.pytorch_needed import pytorch_needed
from wn_train.run_files import checkpoint_of

Material = tuple[tuple[Path, ...], tuple[Path, ...]]
"""Audio, and its frames."""


@command()
@click.argument("directory", metavar="DIR", type=a_path)
@click.option(
    "--checkpoint",
    type=a_path,
    metavar="CKPT|RUN",
    help="Ask PyTorch now, rather than take its outputs from reference.npz.",
)
@click.option(
    "--audio",
    type=a_path,
    multiple=True,
    metavar="WAV",
    help="Audio to compare on, with --checkpoint; repeatable.",
)
@click.option(
    "--frames",
    type=a_path,
    multiple=True,
    metavar="NPY",
    help="Frames of --audio, a file for each in the same order. Default: as features.json said.",
)
@click.option(
    "--engine",
    metavar="NAME",
    help="Only this engine, which must run here.",
    shell_complete=complete.engines,
)
@click.option(
    "--json",
    "json_file",
    type=a_path,
    metavar="FILE",
    help="Write report.json here, rather than into DIR.",
)
def main(
    directory: Path,
    checkpoint: Path | None,
    audio: tuple[Path, ...],
    frames: tuple[Path, ...],
    engine: str | None,
    json_file: Path | None,
) -> int:
    """Params, bits per sample and free-running samples of every engine that runs here.

    Exit code 1 where one is outside tolerance.
    """
    package = ModelPackage(locate(directory)[0])
    package.verify()
    if checkpoint is not None:
        checkpoint = checkpoint_of(checkpoint)
        with pytorch_needed("--checkpoint"):  # before a file is begun: a signal in it ends at once
            import wn_export.parity.checkpoint  # noqa: F401
    if json_file is not None:
        with result.opened_json(json_file, KEYS) as write:
            proof = _proven(package, checkpoint, (audio, frames), engine)
            if not result.is_stdout(json_file):
                say.line(_next(package, proof, checkpoint, engine))
            write(prove.to_json(package.manifest, proof).encode())
        return 0 if proof.passed else 1
    proof = _proven(package, checkpoint, (audio, frames), engine)
    if engine is not None and (package.directory / "report.json").exists():
        say.line(
            f"report   {package.directory} keeps its own, of every engine; --json FILE for this one"
        )
    else:
        try:
            prove.write_reports(package.directory, package.manifest, proof, say.line)
        except OSError as error:
            say.line(f"report   not written: {error.strerror}; name a file with --json", err=True)
    say.line(_next(package, proof, checkpoint, engine))
    return 0 if proof.passed else 1


def _next(package: ModelPackage, proof: Proof, checkpoint: Path | None, engine: str | None) -> str:
    """What is proven can run; what is not is made anew, from PyTorch's weights where they are."""
    directory = package.directory
    if proof.passed:
        chosen = () if engine is None else ("--engine", engine)
        return next_step.to_run(directory, package.manifest, *chosen)
    if checkpoint is None:
        return next_step.line("wn-export", directory)
    return next_step.line("wn-export", checkpoint, "-o", directory)


def _proven(
    package: ModelPackage, checkpoint: Path | None, material: Material, engine: str | None
) -> Proof:
    given = _reference(package, checkpoint, material)
    proof = prove.prove(package, given, say.line, engine)
    more = more_for_16(package.spec.output, (clip.samples for clip in given.clips))
    say.line(f"against  {given.material}; PyTorch {in_words(given.bits, more)}")
    for name, reason in {each.engine: each.reason for each in proof.unavailable}.items():
        if ENGINES[name].automatic and ENGINES[name].present():  # the others are no news
            say.line(f"not here {name}: {reason}")
    return proof


def _reference(package: ModelPackage, checkpoint: Path | None, material: Material) -> Reference:
    if checkpoint is not None:
        from wn_export.parity.checkpoint import from_checkpoint

        return from_checkpoint(package, checkpoint, *material)
    for flag, files in zip(("--audio", "--frames"), material, strict=True):
        if files:
            raise WavestepError(f"{flag} needs PyTorch's outputs: give --checkpoint CKPT too")
    return reference.load(package)
