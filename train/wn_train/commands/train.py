"""wn-train: a folder of recordings in, a checkpoint out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import torch

from wn_runtime.commands.command import command
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_train import checkpoint, config
from wn_train.config import Config
from wn_train.data import audio, corpus
from wn_train.training.distributed import world
from wn_train.training.trainer import BEST, LAST, Interrupted, train

RELEASE = "release.pt"


@command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Run folder.")
@click.option("--preset", default="small", show_default=True, help="tiny, small, medium or paper.")
@click.option("--config", "file", type=click.Path(path_type=Path), help="TOML over the preset.")
@click.option("--steps", type=int, help="Short for training.steps of the configuration.")
@click.option("--resume", is_flag=True, help="Go on from the run folder's last.pt.")
@click.option("--threads", type=int, help="CPU threads; default: all cores.")
def main(
    data: Path,
    output: Path,
    preset: str,
    file: Path | None,
    steps: int | None,
    resume: bool,
    threads: int | None,
) -> None:
    """Train a WaveNet on the recordings in DATA.

    DATA holds metadata.csv (columns file, split and one per condition), or <speaker>/*.wav.
    """
    if threads:
        torch.set_num_threads(threads)
    given: dict[str, Any] = {} if steps is None else {"training.steps": steps}
    settings = config.with_name(config.load(preset, file, given), output.resolve().name)
    with world() as here:
        say = _say if here.first else _silent
        before = _before(output, resume, settings)
        recordings = corpus.read(data, settings.data.conditions)
        model = settings.model
        rate, utterances = audio.load(recordings, settings.data.sample_rate, model.output, say)
        conditions = recordings.conditions
        spec = ModelSpec(
            sample_rate=rate,
            dilations=model.all_dilations,
            kernel=model.kernel,
            input_kernel=model.input_kernel,
            residual_channels=model.residual_channels,
            gate_channels=model.gate_channels or 2 * model.residual_channels,
            skip_channels=model.skip_channels,
            head_channels=model.head_channels,
            residual_scale=model.residual_scale,
            output=model.output,
            conditioning=(GlobalConditions(conditions),) if conditions else (),
        )
        if before is not None and before.spec != spec:
            raise WavestepError(
                f"{output / LAST} is another model than this data and configuration make "
                f"({_difference(before.spec, spec)}); give the --preset, --config and data it "
                "was begun with, or another -o"
            )
        say(describe(spec, settings, len(utterances)))
        try:
            last = train(spec, settings, utterances, output, here, before, say)
        except Interrupted as interrupted:
            say(f"{interrupted}; go on with the same command and --resume")
            raise SystemExit(130) from None
        if here.first:
            shared = output / RELEASE
            checkpoint.save(shared, checkpoint.release(checkpoint.load(output / BEST)))
            say(
                f"done: {last.valid_bits:.4f} bits per sample on valid; the best is "
                f"{output / BEST}, and to share, without what only training needs: {shared} "
                f"({shared.stat().st_size / 1e6:.1f} MB)"
            )


def describe(spec: ModelSpec, settings: Config, files: int) -> str:
    """One line on the model and its data."""
    names = ", ".join(f"{len(c.values)} {c.name}s" for c in spec.conditions) or "no conditions"
    milliseconds = 1000 * spec.receptive_field / spec.sample_rate
    return (
        f"{settings.name}: {spec.layers} layers, receptive field {spec.receptive_field} samples "
        f"({milliseconds:.0f} ms at {spec.sample_rate} Hz), {names}, {files} files"
    )


def _before(output: Path, resume: bool, settings: Config) -> checkpoint.Checkpoint | None:
    """The checkpoint to go on from. An unfinished or finished run is never written over."""
    last = output / LAST
    if resume:
        before = checkpoint.load(last)
        if not before.training:
            raise WavestepError(f"{last} is a released checkpoint; it cannot be trained on")
        steps = settings.training.steps
        # At its last step a run may still lack release.pt, but not the best it is made from.
        if before.step > steps or (before.step == steps and not (output / BEST).exists()):
            raise WavestepError(
                f"{last} is at step {before.step} already, steps is {steps}; give more --steps"
            )
        return before
    if last.exists():
        raise WavestepError(f"{output} holds a run already; add --resume, or give another -o")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WavestepError(f"{output} cannot be made: {error.strerror}") from error
    return None


def _difference(before: ModelSpec, now: ModelSpec) -> str:
    old, new = before.to_dict(), now.to_dict()
    name = next(name for name in new if old.get(name) != new[name])
    if isinstance(new[name], int | float):
        return f"{name} was {old.get(name)}, now {new[name]}"
    return f"not the same {name}"


def _say(line: str) -> None:
    click.echo(line, err=True)


def _silent(line: str) -> None:
    pass
