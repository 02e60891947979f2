"""wn-parity: hold every engine of a model directory against PyTorch."""

from __future__ import annotations

from pathlib import Path

import click

from wn_export.parity import prove
from wn_export.parity.reference import Reference, load
from wn_export.pytorch_needed import pytorch_needed
from wn_runtime import atomic
from wn_runtime.commands.command import command
from wn_runtime.engines.registry import ENGINES
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage


@command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="CKPT",
    help="Ask PyTorch now, rather than take its outputs from reference.npz.",
)
@click.option(
    "--audio",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="WAV",
    help="Audio to compare on, with --checkpoint; repeatable.",
)
@click.option("--engine", metavar="NAME", help="Only this engine, which must run here.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write report.json here, rather than into DIR.",
)
def main(
    directory: Path,
    checkpoint: Path | None,
    audio: tuple[Path, ...],
    engine: str | None,
    json_file: Path | None,
) -> int:
    """Params, bits per sample and free-running samples of every engine that runs here.

    Exit code 1 where one is outside tolerance.
    """
    package = ModelPackage(manifests.locate(directory)[0])
    package.verify()
    directory, manifest = package.directory, package.manifest
    reference = _reference(package, checkpoint, audio)
    result = prove.prove(package, reference, click.echo, engine)
    click.echo(f"against  {reference.material}; PyTorch {reference.bits:.4f} bits per sample")
    for name, reason in {each.engine: each.reason for each in result.unavailable}.items():
        if ENGINES[name].automatic:  # the others are news to those only who ask for them
            click.echo(f"not here {name}: {reason}")
    if json_file is not None:
        atomic.write(json_file, prove.to_json(manifest, result))
    elif engine is not None and (directory / "report.json").exists():
        click.echo(f"report   {directory} keeps its own, of every engine; --json FILE for this one")
    else:
        try:
            prove.write_reports(directory, manifest, result, click.echo)
        except OSError as error:
            click.echo(f"report   not written: {error.strerror}; name a file with --json", err=True)
    return 0 if result.passed else 1


def _reference(
    package: ModelPackage, checkpoint: Path | None, audio: tuple[Path, ...]
) -> Reference:
    if checkpoint is not None:
        with pytorch_needed("--checkpoint"):
            from wn_export.parity.checkpoint import from_checkpoint

        return from_checkpoint(package, checkpoint, audio)
    if audio:
        raise WavestepError("--audio needs PyTorch's outputs for it: give --checkpoint CKPT too")
    return load(package.directory / manifests.REFERENCE)
