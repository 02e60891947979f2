"""A checkpoint as the exporter takes it: the model, its canonical weights, its clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wn_export.parity.expected import Clip
from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_runtime.model import strict
from wn_runtime.model.manifest import check_temperature
from wn_runtime.model.weights import Weights
from wn_runtime.text import printable
from wn_train import checkpoint as checkpoints
from wn_train.checkpoint import Speech
from wn_train.features.described import as_plain
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet


@dataclass(frozen=True)
class Trained:
    """A checkpoint, ready for export."""

    name: str
    model: WaveNet
    weights: Weights
    source: dict[str, Any]
    """The checkpoint's own words, for the manifest."""
    clips: tuple[Clip, ...]
    """Held-back audio that travels in the checkpoint."""
    temperature: float = 1.0
    """At which it is to be heard."""
    speech: Speech | None = None
    """What makes its frames of a text."""
    features: Features | None = None
    """What the frames hold; None: the model takes none, or nobody said."""


def load(path: Path, raw: bool = False) -> Trained:
    """Read a checkpoint: its averaged weights, or with `raw` those of the last training step.

    Raises WavestepError for a file that is not a checkpoint, is damaged, or lacks these weights.
    """
    checkpoint = checkpoints.load(path)
    state = checkpoint.model if raw else checkpoint.ema
    if not state:
        raise WavestepError(
            f"{path} holds no {'raw' if raw else 'averaged'} weights; "
            f"export it with{'out' if raw else ''} --raw-weights"
        )
    features = _features(checkpoint.config, str(path))
    model = WaveNet(checkpoint.spec, checkpoint.weight_norm)
    model.load_state_dict(state)
    model.eval().requires_grad_(False)
    return Trained(
        name=checkpoint.name,
        model=model,
        weights=canonical_weights(model, str(path)),
        source={
            "checkpoint": printable(path.name),
            "weights": "raw" if raw else "ema",
            "step": checkpoint.step,
            "valid_bits": checkpoint.valid_bits,
            "valid_bits_16": checkpoint.valid_bits_16,
            "attribution": checkpoint.attribution,
            # so that whoever makes frames knows how
            **({} if features is None else {"features": as_plain(features)}),
        },
        clips=tuple(_clip(item, model) for item in checkpoint.clips),
        temperature=_temperature(checkpoint.config, str(path)),
        speech=checkpoint.speech,
        features=features,
    )


@dataclass(frozen=True)
class _Heard:
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)


def _temperature(config: dict[str, Any], where: str) -> float:
    given = {name: config[name] for name in ("temperature",) if name in config}
    return strict.parse(_Heard, given, f"{where}: config").temperature


def _features(config: dict[str, Any], where: str) -> Features | None:
    given = config.get("features")
    return None if given is None else strict.parse(Features, given, f"{where}: config: features")


def _clip(item: dict[str, Any], model: WaveNet) -> Clip:
    frames = item.get("frames")
    return Clip(
        np.asarray(item["samples"]).astype(model.spec.output.sample_dtype),
        item["conditions"],
        None if frames is None else np.asarray(frames, np.float32)[:, None],
    )
