"""One call of wn-train: from a folder of recordings and a configuration to a run's folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from wn_runtime.commands import next_step
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.heads.bits import in_words
from wn_runtime.model.spec import ModelSpec, context_in_words
from wn_runtime.text import counted
from wn_train import checkpoint, config, progress
from wn_train.config import Config
from wn_train.data import audio, corpus, frames, held_back
from wn_train.data.audio import Utterance
from wn_train.features import described
from wn_train.run_files import BEST, LAST, checkpoint_of
from wn_train.speech import voice
from wn_train.training import begun, kept, precision
from wn_train.training.distributed import World, world
from wn_train.training.failures import told
from wn_train.training.folder import run_folder
from wn_train.training.stopping import Stop, stop_requests
from wn_train.training.trainer import Interrupted, train

RELEASE = "release.pt"


def run(
    data: Path,
    output: Path,
    preset: str | None,
    file: Path | None,
    init: Path | None,
    steps: int | None,
    resume: bool,
    threads: int | None,
) -> None:
    """Train into `output`; the arguments are those of the command.

    Raises WavestepError, and SystemExit where it was asked to stop and has saved the run.
    """
    if threads:
        torch.set_num_threads(threads)
    given: dict[str, Any] = {} if steps is None else {"training.steps": steps}
    if init is not None:
        init = checkpoint_of(init)
        given |= {"training.init": str(init), "training.init_network": True}
    name = Path(os.path.realpath(output)).name
    before = kept.read(output, given) if resume and preset is None and file is None else None
    loaded = before or config.load(preset or config.DEFAULT, file, given)
    settings = config.with_name(loaded, name)
    if init is not None and not resume:
        begun.check_unasked(settings, init, preset, file)
    with stop_requests() as stop, told(), world() as here:
        folder = run_folder(output, make=not resume) if here.first else contextlib.nullcontext()
        with folder:
            _run(data, output, settings, resume, here, stop)


def _run(data: Path, output: Path, settings: Config, resume: bool, here: World, stop: Stop) -> None:
    say = progress.line if here.first else _silent
    before = _before(output, resume, settings)
    settings = described.applied(settings, described.read(data))
    if settings.training.init_network:
        network = before or checkpoint.load(Path(settings.training.init))
        settings = begun.with_weight_norm(settings, network)
        spec, utterances = begun.prepare(data, network, say, stop)
    else:
        spec, utterances = _prepare(data, settings, say, stop)
    speech = None if before is None else before.speech
    if settings.speech is not None:
        if speech is None:
            speech = voice.learned(settings, spec.conditions, utterances, data, stop.check)
        speech.spec.check(spec, str(output / LAST))
        utterances = voice.heard(speech, utterances)
    difference = None if before is None else _difference(before, spec, settings)
    if difference is not None:
        raise WavestepError(
            f"{output / LAST} is another model than this data and configuration make "
            f"({difference}); give the data and configuration it was begun with (--config, or "
            f"{kept.CONFIG} as it was), or another -o"
        )
    say(describe(spec, settings, len({each.recording.path for each in utterances})))
    if other := precision.in_words(settings.training.precision, here.device):
        say(other)
    try:
        last = train(spec, settings, utterances, output, here, before, say, stop, speech)
    except Interrupted as interrupted:
        say(str(interrupted))
        say(next_step.line(*_command(here), data, "-o", output, "--resume"))
        raise SystemExit(128 + stop.interruption.number) from None
    if here.first:
        bits = last.valid_bits or 0.0
        shared = output / RELEASE
        checkpoint.save(shared, checkpoint.release(checkpoint.load(output / BEST)))
        say(
            f"done: {in_words(bits, (last.valid_bits_16 or bits) - bits)} on valid; the best is "
            f"{output / BEST}, and to share, without what only training needs: {shared} "
            f"({shared.stat().st_size / 1e6:.1f} MB)"
        )
        say(next_step.line("wn-export", output))


def _command(here: World) -> list[str]:
    """What this process was started with, as far as --resume needs it."""
    if here.size == 1:
        return ["wn-train"]
    return ["torchrun", "--nproc-per-node", str(here.size), "-m", "wn_train"]


def describe(spec: ModelSpec, settings: Config, files: int) -> str:
    """One line on the model and its data."""
    given = [condition.counted for condition in spec.conditions]
    timing = Timing.of(spec.conditioning)
    if timing.frame_channels:
        given.append(f"frames of {timing.frame_channels} channels every {timing.hop} samples")
    names = ", ".join(given) or "no conditions"
    milliseconds = 1000 * spec.receptive_field / spec.sample_rate
    return (
        f"{settings.name}: {spec.layers} layers, receptive field {spec.receptive_field} samples "
        f"({milliseconds:.0f} ms at {spec.sample_rate} Hz){context_in_words(spec)}, {names}, "
        f"{counted(files, 'file')}"
    )


def _prepare(
    data: Path, settings: Config, say: Callable[[str], None], stop: Stop
) -> tuple[ModelSpec, list[Utterance]]:
    """The data, and the model that it and the configuration make."""
    local = settings.model.frames
    recordings = corpus.read(data, settings.data.conditions, framed=local is not None)
    rate, utterances = audio.load(
        recordings, settings.data.sample_rate, settings.model.output, say, stop.check
    )
    conditions = recordings.conditions
    conditioning: list[ConditionerSpec] = [GlobalConditions(conditions)] if conditions else []
    if local is not None:
        utterances = frames.load(utterances, local.hop, local.channels, stop.check)
    elif recordings.framed:
        say("metadata.csv names frames, and no [model.frames] takes them: they are left out")
    stack = settings.model.context
    try:
        framed = None
        if local is not None and utterances[0].frames is not None:
            framed = local.spec(utterances[0].frames.shape[1])
            conditioning.append(framed)
        if stack is not None:
            conditioning.append(stack.spec(settings.model.output, framed))
        spec = settings.model.spec(rate, tuple(conditioning))
    except ValueError as error:  # the configuration alone was right
        raise WavestepError(f"{data}: with this data {error}") from error
    stop.check()
    return spec, held_back.cut(utterances, rate, Timing.of(spec.conditioning).hop, say)


def _before(output: Path, resume: bool, settings: Config) -> checkpoint.Checkpoint | None:
    """The checkpoint to go on from. An unfinished or finished run is never written over."""
    last = output / LAST
    if not resume:
        for name in (LAST, BEST, RELEASE):
            if os.path.lexists(output / name):
                add = "add --resume, or " if name == LAST else ""
                raise WavestepError(f"{output} holds a run already; {add}give another -o")
        if os.path.lexists(output / kept.CONFIG):
            raise WavestepError(
                f"{output / kept.CONFIG} is there, and a run writes its own; move it, or give "
                "another -o"
            )
        return None
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


def _difference(before: checkpoint.Checkpoint, spec: ModelSpec, settings: Config) -> str | None:
    """What makes another network of it; None where it is the same."""
    old = {**before.spec.to_dict(), "weight_norm": before.weight_norm}
    new = {**spec.to_dict(), "weight_norm": settings.model.weight_norm}
    for name, value in new.items():
        if old[name] != value:
            number = isinstance(value, int | float)
            return f"{name} was {old[name]}, now {value}" if number else f"not the same {name}"
    return None


def _silent(line: str) -> None:
    pass
