"""What a model in training is asked to say: held-back recordings' conditions, and those beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.timing import Timing
from wn_runtime.heads.head import Samples
from wn_runtime.model.spec import ModelSpec
from wn_train.data.audio import Utterance

STREAMS = 8
"""Made side by side, at most."""
RECORDINGS = 3
"""Recordings that are followed where no condition tells them apart."""


@dataclass(frozen=True)
class Sample:
    """One stream to generate, and the recording that it is held against."""

    label: str
    """Its conditions in words."""
    conditions: dict[str, str]
    """Condition to value; those that the recording does not have are left out."""
    recording: Samples | None
    """(T,) of the head; None where nothing like it was held back."""
    frames: NDArray[np.float32] | None
    """(F, C) of the recording; None for a model that takes none, or where there is no recording."""


def choose(validation: Sequence[Utterance], spec: ModelSpec, steps: int) -> list[Sample]:
    """A sample for each value of the first condition, as many as fit, of `steps` samples at most.

    Each follows the first held-back recording of its value. Where there is none, every other
    condition has the value of the same number. Without conditions a model that takes frames
    follows the first few recordings; any other is asked once.
    """
    if not spec.conditions:
        if not Timing.of(spec.conditioning).frame_channels:
            return [_sample("unconditional", {}, validation[:1], spec, steps)]
        return [
            _sample(f"recording {i}", {}, [each], spec, steps)
            for i, each in enumerate(validation[:RECORDINGS])
        ]
    first = spec.conditions[0]
    found: list[Sample] = []
    for i, value in enumerate(first.values[:STREAMS]):
        like = [u for u in validation if value in u.recording.values[first.name].split("+")]
        given = {c.name: c.values[i % len(c.values)] for c in spec.conditions}
        if like:
            given = {name: text for name, text in like[0].recording.values.items() if text}
        label = " ".join(f"{name}={text}" for name, text in given.items())
        if all(label != each.label for each in found):  # two tags of one recording
            found.append(_sample(label, given, like, spec, steps))
    return found


def frames_of(
    samples: Sequence[Sample], spec: ModelSpec, steps: int, padding: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """The frames (F, B, C) of all streams, `padding` (C,) beyond their own; None without any."""
    timing = Timing.of(spec.conditioning)
    if not timing.frame_channels:
        return None
    frames = np.tile(padding, (timing.frames(steps), len(samples), 1))
    for stream, sample in enumerate(samples):
        if sample.frames is not None:
            given = sample.frames[: len(frames)]
            frames[: len(given), stream] = given
    return frames


def _sample(
    label: str,
    conditions: dict[str, str],
    like: Sequence[Utterance],
    spec: ModelSpec,
    steps: int,
) -> Sample:
    if not like:
        return Sample(label, conditions, None, None)
    samples = like[0].samples[:steps].astype(spec.output.sample_dtype)
    return Sample(label, conditions, samples, like[0].frames)
