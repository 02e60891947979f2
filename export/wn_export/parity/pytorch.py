"""What float32 PyTorch makes of a model's clips: the reference that parity is held against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wn_export.parity.expected import BIAS_SAMPLES, Clip, Prediction, Reference
from wn_export.parity.free_run import FREE_SECONDS, free_run
from wn_export.parity.teacher_forcing import condition, score
from wn_export.parity.trained import Trained
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.engine import Engine
from wn_train.network.wavenet import WaveNet

PARAMS_ROWS = 1024
"""Rows of params in a reference, over all clips: 1 MB at 256 classes."""
PARAMS_NUMBERS, BIAS_NUMBERS = 2**24, 2**23
"""In a reference, of params and of bias: what it can hold of models of any size."""


def make_reference(
    trained: Trained, clips: Sequence[Clip], material: str, draft: Engine, seed: int = 0
) -> Reference:
    """What PyTorch makes of the clips, and two seconds of its own.

    Without clips its own two seconds are the material. `draft`: see `free_run`.
    """
    spec = trained.model.spec
    like = next((clip for clip in clips if clip.conditions or clip.frames is not None), None)
    conditions = {c.name: c.values[0] for c in spec.conditions}
    conditions = dict(like.conditions) if like is not None and like.conditions else conditions
    steps = round(FREE_SECONDS * spec.sample_rate)
    frames = None if like is None else like.frames
    free = free_run(trained, conditions, frames, steps, draft, seed)
    if not clips:
        clips = [free.clip]
        material = "free-running samples of its own (no held-back audio)"
    rows = min(PARAMS_ROWS, PARAMS_NUMBERS // spec.output.params) // len(clips)
    longest = max(clips, key=lambda clip: len(clip.samples))
    predictions = tuple(
        predict(trained, clip, max(1, rows), len(clips), remembered=clip is longest)
        for clip in clips
    )
    return Reference(material, tuple(clips), predictions, free)


def predict(
    trained: Trained, clip: Clip, rows: int, clips: int = 1, remembered: bool = False
) -> Prediction:
    """Teacher forcing over one clip of so many; params at `rows` steps spread over it.

    remembered: keep the bias for as long as conditioning sees back, and some more.
    """
    model, head = trained.model, trained.model.spec.output
    params = score(model, clip)
    count = len(clip.samples)
    steps = np.unique(np.linspace(0, count - 1, min(rows, count)).round().astype(np.int64))
    bits = head.bits(params, clip.samples)
    most = BIAS_NUMBERS // (clips * model.spec.layers * model.spec.gate_channels)
    context = Timing.of(model.spec.conditioning).context if remembered else 0
    kept, samples = _kept_bias(model, clip, BIAS_SAMPLES + context, most)
    return Prediction(bits, steps, params[steps], kept, samples)


def _kept_bias(
    model: WaveNet, clip: Clip, wanted: int, most: int
) -> tuple[NDArray[np.float32] | None, int]:
    """A clip's bias for about `wanted` samples, at most `most` rows, and what they are held for."""
    count = len(clip.samples)
    held = min((c.hold for c in model.spec.conditioning if c.hold), default=count)
    samples = min(max(1, min(wanted // held, most)), count // held) * held
    bias = condition(model, clip, 0, min(count, max(samples, 2)))
    if bias is None:
        return None, 0
    rows: NDArray[np.float32] = bias.permute(2, 0, 1, 3).float().numpy()  # (n or 1, L, 1, G)
    return (rows[:samples:held], samples) if samples and len(rows) > 1 else (rows[:1], count)
