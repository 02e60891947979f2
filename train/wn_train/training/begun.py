"""Training on with a checkpoint's own network: the data as that network takes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_train import checkpoint, toml
from wn_train.checkpoint import Checkpoint
from wn_train.config import Config
from wn_train.data import audio, corpus, frames, held_back
from wn_train.data.audio import Utterance
from wn_train.network.wavenet import WaveNet
from wn_train.training.stopping import Stop


def check_unasked(settings: Config, init: Path, preset: str | None, file: Path | None) -> None:
    """Raise WavestepError where a preset, or [model] of a file, is of another network than `init`.

    settings: made of both. The file of a run that was itself begun with a network says nothing.
    """
    asked = _asking(preset, file)
    if asked is None:
        return
    spec = checkpoint.load(init).spec
    try:
        own = settings.model.spec(spec.sample_rate, spec.conditioning)
    except ValueError:  # no model takes this conditioning
        own = None
    if own is None or dataclasses.replace(own, postprocess=spec.postprocess) != spec:
        raise WavestepError(
            f"{asked} and --init {init} each give a network, and not the same; leave one out"
        )


def _asking(preset: str | None, file: Path | None) -> str | None:
    """What gives a network beside --init, in words; None: nothing does."""
    if preset is not None:
        return f"--preset {preset}"
    tables = {} if file is None else toml.read(file)
    training, model = tables.get("training"), tables.get("model")
    if isinstance(training, dict) and training.get("init_network"):
        return None
    return f"[model] of {file}" if isinstance(model, dict) and {*model} - {"weight_norm"} else None


def with_weight_norm(settings: Config, network: Checkpoint) -> Config:
    """The configuration with weight norm where the checkpoint's weights have it."""
    model = dataclasses.replace(settings.model, weight_norm=network.weight_norm)
    return dataclasses.replace(settings, model=model)


def prepare(
    data: Path, network: Checkpoint, say: Callable[[str], None], stop: Stop
) -> tuple[ModelSpec, list[Utterance]]:
    """The network's spec, and the data at its rate, with its conditions and frames.

    Raises WavestepError where the data lacks one of its conditions or its frames, or has values
    that it does not know.
    """
    spec = network.spec
    timing = Timing.of(spec.conditioning)
    names = tuple(condition.name for condition in spec.conditions)
    recordings = corpus.read(data, names, framed=bool(timing.frame_channels))
    for recording in recordings.recordings:
        for name, value in recording.values.items():
            if value:
                try:
                    spec.condition(name).indices(value)
                except WavestepError as error:
                    raise WavestepError(f"{recording.path}: {error}") from error
    _, utterances = audio.load(
        recordings, spec.sample_rate, spec.output, say, stop.check, spec.postprocess
    )
    if timing.frame_channels:
        model = WaveNet(spec, network.weight_norm)
        model.load_state_dict(network.ema)
        found = frames.load(utterances, timing.hop, timing.frame_channels, stop.check)
        padding = model.padding()
        utterances = [dataclasses.replace(each, padding=padding) for each in found]
    stop.check()
    return spec, held_back.cut(utterances, spec.sample_rate, timing.hop, say)
