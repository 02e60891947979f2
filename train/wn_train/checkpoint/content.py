"""What is in a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from wn_runtime.model.spec import ModelSpec
from wn_runtime.speech.spec import SpeechSpec

FORMAT = 2
"""The format that this version writes and reads."""


@dataclass(frozen=True)
class Speech:
    """A front end: see wn_runtime.speech."""

    spec: SpeechSpec
    weights: dict[str, Tensor]
    """By the names of `SpeechSpec.shapes`."""
    dictionary: str
    """The words that it can say, as `wn_runtime.speech.dictionary` writes them."""


@dataclass
class Checkpoint:
    """A model with its names, and what is needed to train on."""

    name: str
    spec: ModelSpec
    weight_norm: bool
    """Whether the weights are stored as weight norm's g and v."""
    model: dict[str, Tensor]
    """`WaveNet.state_dict()`; empty in a released checkpoint, which has the averaged ones only."""
    ema: dict[str, Tensor]
    """The exponential moving average of the same weights."""
    step: int
    """Optimiser steps so far."""
    valid_bits: float | None = None
    """Bits per sample of the averaged weights on the validation split."""
    valid_bits_16: float | None = None
    """The same per 16-bit sample, which compares from head to head (wn_runtime.heads.bits)."""
    attribution: str = ""
    """Sources and licence of the training data."""
    config: dict[str, Any] = field(default_factory=dict)
    """The run's `config.Config`, as plain types."""
    clips: list[dict[str, Any]] = field(default_factory=list)
    """Held-back real audio for parity, as `data.clips` chooses it: `samples`, `conditions` name to
    value, and `frames` for a model that takes them."""
    speech: Speech | None = None
    """What makes its frames of a text; None for a model that does not speak."""
    training: dict[str, Any] = field(default_factory=dict)
    """`optimizer`, the optimiser's state; `position` in the data, (epoch, batch); `best` bits so
    far. Empty in a released checkpoint."""


def release(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint to share: averaged weights only, no optimiser."""
    parts = {**vars(checkpoint), "model": {}, "training": {}}
    return Checkpoint(**parts)
