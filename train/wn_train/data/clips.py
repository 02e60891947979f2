"""Held-back audio that travels in the checkpoint, so that parity needs no data folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from wn_runtime.conditioning.conditioner import padded_frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.model.spec import ModelSpec
from wn_train.data.audio import Utterance

CLIPS = 12
"""How many are kept."""
CLIP_SAMPLES = 8000
"""Each is cut at this length."""
MOST_CONTEXT = 2**15
"""Samples of a context stack's memory that a clip is longer for: 4 s at 8 kHz."""


def choose_clips(validation: Sequence[Utterance], spec: ModelSpec) -> list[dict[str, Any]]:
    """The first part of `CLIPS` utterances spread evenly over the validation split.

    Each has `samples` (T,), `conditions` by name, and for a model that takes them `frames` (F, C).
    The first is longer where conditioning remembers, so that what it remembers is proven, too.
    """
    stride = max(1, len(validation) // CLIPS)
    chosen, longer = validation[::stride][:CLIPS], remembered(spec)
    return [
        _clip(utterance, spec, CLIP_SAMPLES + (0 if i else longer))
        for i, utterance in enumerate(chosen)
    ]


def remembered(spec: ModelSpec) -> int:
    """Samples that a clip must be longer for, so that a context stack's memory is filled."""
    return min(Timing.of(spec.conditioning).context, MOST_CONTEXT)


def _clip(utterance: Utterance, spec: ModelSpec, most: int) -> dict[str, Any]:
    samples = utterance.samples[:most].astype(spec.output.sample_dtype)
    clip: dict[str, Any] = {
        "samples": torch.from_numpy(samples),
        "conditions": {k: v for k, v in utterance.recording.values.items() if v},
    }
    if utterance.frames is not None:
        count = Timing.of(spec.conditioning).frames(len(samples))
        padding = 0 if utterance.padding is None else utterance.padding
        clip["frames"] = torch.from_numpy(padded_frames(utterance.frames, count, padding))
    return clip
