"""What parity is held against: clips, and what float32 PyTorch made of them.

For every sample of the clips it has PyTorch's bits; params only at evenly spaced steps; the gates'
bias at the start of each clip; and a free-running stream whose every sample PyTorch drew.
`reference` writes and reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.part import Frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model.spec import ModelSpec

Conditions = Mapping[str, str]
"""Condition to value, by name; tags joined by `+`."""
BIAS_SAMPLES = 512
"""Samples of a clip whose bias is kept."""
MOST_CLIPS = 1024
MOST_SAMPLES = 2**22
"""Of all clips together, and of the free run."""


@dataclass(frozen=True)
class Clip:
    """A piece of audio from a true start (silence before it)."""

    samples: Samples
    """(T,) of the model's head."""
    conditions: Conditions
    frames: Frames | None = None
    """(F, 1, C); None for a model that takes none."""


@dataclass(frozen=True)
class Prediction:
    """What PyTorch predicted, teacher-forced over one clip."""

    bits: NDArray[np.float32]
    """(T,) -log2 p of each sample."""
    steps: NDArray[np.int64]
    """(K,) the steps whose params are kept."""
    params: NDArray[np.float32]
    """(K, A)"""
    bias: NDArray[np.float32] | None
    """(N, L, 1, G) of the clip's first `bias_samples`; None for a model without conditioning."""
    bias_samples: int = 0


@dataclass(frozen=True)
class FreeRun:
    """What PyTorch generated from silence."""

    clip: Clip
    """Its samples are (T,), drawn at temperature 1 with stream 0 of the seed."""
    seed: int


@dataclass(frozen=True)
class Reference:
    """The inputs and PyTorch's outputs."""

    material: str
    """Where the clips come from, in words."""
    clips: tuple[Clip, ...]
    predictions: tuple[Prediction, ...]
    free: FreeRun

    @property
    def bits(self) -> float:
        """PyTorch's bits per sample over all clips."""
        every = np.concatenate([prediction.bits for prediction in self.predictions])
        return float(every.mean(dtype=np.float64))

    @property
    def largest(self) -> float:
        """max |params|, what errors are relative to; 1 where all are 0."""
        return max(float(np.abs(each.params).max()) for each in self.predictions) or 1.0


def checked(clip: Clip, spec: ModelSpec, what: str) -> Clip:
    """A clip from elsewhere, its samples of the head's type.

    Raises WavestepError, beginning with `what`, unless it is one of this model: at least a sample,
    all of them the head's; conditions and values that the spec has; frames where it takes some.
    """
    if clip.samples.ndim != 1 or not 1 <= len(clip.samples) <= MOST_SAMPLES:
        raise WavestepError(
            f"{what} has samples {clip.samples.shape}; it takes 1 to {MOST_SAMPLES} of them"
        )
    if clip.samples.dtype.kind not in ("f" if spec.output.codes is None else "iu"):
        raise WavestepError(f"{what} has samples of {clip.samples.dtype}, the model others")
    samples = spec.output.check(clip.samples, f"{what}: samples")
    for name, value in clip.conditions.items():
        spec.condition(name).indices(value)
    channels, frames = Timing.of(spec.conditioning).frame_channels, clip.frames
    if (frames is None) == bool(channels):
        raise WavestepError(f"{what} has {'no ' * bool(channels)}frames, unlike the model")
    if frames is not None:
        if frames.ndim != 3 or frames.shape[1:] != (1, channels) or frames.dtype != np.float32:
            raise WavestepError(
                f"{what} has frames {frames.dtype} {frames.shape}; the model takes float32 "
                f"(frames, 1, {channels})"
            )
        if not np.isfinite(frames).all():
            raise WavestepError(f"{what}: frames hold NaN or infinity")
    return Clip(samples, clip.conditions, frames)
