"""wn-import: a model trained elsewhere to a checkpoint of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wn_runtime import installation
from wn_runtime.commands import next_step, say
from wn_runtime.commands.command import command
from wn_runtime.commands.given import a_path
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import names
from wn_runtime.text import counted
from wn_train.pytorch_needed import pytorch_needed

if TYPE_CHECKING:
    from wn_export.parity.vectors import Vectors
    from wn_runtime.model.spec import ModelSpec
    from wn_train.importers.imported import Imported
    from wn_train.network.wavenet import WaveNet


@command()
@click.argument("source", metavar="CKPT", type=a_path)
@click.option("--from", "kind", metavar="NAME", help="r9y9, nv-wavenet or ibab; default: as found.")
@click.option("--hparams", type=a_path, metavar="JSON", help="The settings it was trained with.")
@click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="A setting, as --set stacks=2, over those of --hparams; repeatable.",
)
@click.option(
    "--alignment",
    default="generation",
    show_default=True,
    help="generation: frames condition the sample that they do when the original generates. "
    "training: one sample later, as when it was trained.",
)
@click.option(
    "--statistics",
    type=a_path,
    metavar="NPZ",
    help="mean and scale of the frames, where the model is to take them as they are extracted.",
)
@click.option(
    "--verify",
    type=a_path,
    metavar="NPZ",
    help="What the original's code answered (x, params, frames, speaker): hold all engines to it.",
)
@click.option("-o", "--output", type=a_path, metavar="FILE", required=True, help="A .pt to write.")
def main(
    source: Path,
    kind: str | None,
    hparams: Path | None,
    settings: tuple[str, ...],
    alignment: str,
    statistics: Path | None,
    verify: Path | None,
    output: Path,
) -> int:
    """Import a model that r9y9/wavenet_vocoder, nv-wavenet or ibab/tensorflow-wavenet trained.

    Nothing in the file is run. With --verify the exit code is 1, and nothing is written, where a
    float32 engine does not answer as the original did.
    """
    from wn_train.importers.imported import ALIGNMENTS

    if alignment not in ALIGNMENTS:
        raise WavestepError(unknown("--alignment", alignment, ALIGNMENTS))
    try:
        name = names.check(output.stem, "the model's name")
    except ValueError as error:
        raise WavestepError(f"{output}: {error}; the model is called as its file is") from error
    if output.suffix != ".pt":
        raise WavestepError(f"{output} is no name of a checkpoint; call it {output.stem}.pt")
    if not output.parent.is_dir():  # told before the work, which --verify makes long
        raise WavestepError(f"{output} cannot be written: there is no folder {output.parent}")
    if output.exists() and source.exists() and output.samefile(source):
        raise WavestepError(f"{output} is what is imported; give another -o")
    with pytorch_needed("wn-import"):
        from wn_train import checkpoint
        from wn_train.importers import reading, writing
        from wn_train.network.canonical import load_canonical
        from wn_train.network.wavenet import WaveNet

    writing.check_replaceable(output)  # before the work, too
    imported, steps = reading.convert(source, kind, hparams, settings, alignment, statistics)
    model = WaveNet(imported.spec)
    load_canonical(model, imported.weights)
    model.eval().requires_grad_(False)
    for line in _report(imported, alignment):
        say.line(line)
    vectors = None
    if verify is not None:
        vectors = _read(verify, imported)
        if not _verified(imported, model, vectors):
            say.line(f"failed   it does not answer as {verify} says; {output} is not written")
            return 1
    clip = None if vectors is None else vectors.clip
    samples = None if clip is None else (clip.samples, clip.conditions, clip.frames)
    writing.check_replaceable(output)  # it may have come meanwhile
    checkpoint.save(output, writing.checkpoint_of(imported, model, name, steps, samples))
    say.line(f"wrote    {output} ({output.stat().st_size / 1e6:.1f} MB)")
    say.line(next_step.line("wn-export", output))
    return 0


def _report(imported: Imported, alignment: str) -> Iterator[str]:
    """What was found, in lines."""
    from wn_runtime.conditioning.timing import Timing
    from wn_train.importers.imported import ALIGNMENTS

    spec = imported.spec
    yield f"found    {imported.project}: {_shape(spec)}"
    for line in imported.found:
        yield f"         {line}"
    yield (
        f"field    {spec.receptive_field} samples "
        f"({1000 * spec.receptive_field / spec.sample_rate:.0f} ms at {spec.sample_rate} Hz)"
    )
    if not spec.postprocess.does_nothing:
        post = spec.postprocess
        yield f"audio    de-emphasis {post.deemphasis:g}, then times {post.gain:.4g}"
    timing = Timing.of(spec.conditioning)
    if timing.frame_channels:
        yield (
            f"frames   {timing.frame_channels} channels, one every {timing.hop} samples; audio is "
            f"{counted(timing.lookahead // timing.hop, 'frame')} behind them"
        )
        other = next(each for each in ALIGNMENTS if each != alignment)
        why = {
            "generation": "a stream is what the original generates",
            "training": "the loss is the original's: to train on",
        }
        yield f"align    {alignment}: {why[alignment]} (--alignment {other}: {why[other]})"


def _shape(spec: ModelSpec) -> str:
    head = spec.output
    return (
        f"{spec.layers} layers, R{spec.residual_channels} G{spec.gate_channels} "
        f"S{spec.skip_channels}, k = {spec.kernel}, {spec.parameters / 1e6:.2f} M parameters, "
        f"{head.kind} of {head.params} params"
    )


def _read(path: Path, imported: Imported) -> Vectors:
    try:
        from wn_export.parity import vectors
    except ImportError as error:
        raise WavestepError(
            f"--verify needs onnx ({error}); {installation.install('onnx', 'export')}"
        ) from error
    return vectors.read(path, imported)


def _verified(imported: Imported, model: WaveNet, given: Vectors) -> bool:
    """Every engine that is here beside the original, a line each."""
    from wn_export.parity import vectors

    passed = True
    for row in vectors.verify(imported, model, given):
        what = f"{row.engine} {row.precision}".ljust(14)
        if not isinstance(row, vectors.Row):
            continue  # not here, and nothing was asked of it
        verdict = "PASS" if row.passed else "FAIL" if row.decides else "FAIL   (not used)"
        if row.passed and not row.decides and not passed:  # its bits may be as many by chance
            verdict = "not proven: fp32 failed"
        say.line(
            f"verify   {what}  max|Δ| {row.max_error:.1e}   "
            f"{round(row.delta_bits, 4) + 0.0:+.4f} bits   {verdict}"
        )
        passed = passed and (row.passed or not row.decides)
    return passed
