"""What frames are on average, by channel."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.part import Frames

LEAST_SHARE = 1e-6
"""Of the mean's size, or of 1: a deviation below it is that of rounding."""


def statistics(clips: Iterable[Frames]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and 1 / deviation of each channel, (C,), over the frames (F, C) of all clips.

    A channel that never changes says nothing, now or later: it is scaled by 0.
    """
    count, total, squares = 0, np.zeros(1), np.zeros(1)
    shift: NDArray[np.float64] | None = None  # squares far from zero would lose their digits
    for frames in clips:
        exact = frames.astype(np.float64)
        shift = exact.mean(axis=0) if shift is None else shift
        apart = exact - shift
        count += len(frames)
        total = total + apart.sum(axis=0)
        squares = squares + (apart**2).sum(axis=0)
    assert shift is not None, "there are no clips"
    mean = shift + total / count
    deviation = np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0))
    changes = deviation > LEAST_SHARE * np.maximum(np.abs(mean), 1)
    scale = np.divide(1, deviation, out=np.zeros_like(deviation), where=changes)
    return mean.astype(np.float32), scale.astype(np.float32)
