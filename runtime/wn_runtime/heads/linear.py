"""Linear codes of A steps: class A//2 is amplitude 0, and 65,536 classes are the 16-bit samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def silence(classes: int) -> int:
    """The class of amplitude 0."""
    return classes // 2


def encode(audio: NDArray[np.floating[Any]], classes: int) -> NDArray[np.int32]:
    """Samples in [-1, 1] (beyond: clipped) to classes 0 to A-1, nearest; 0.0 gives A//2."""
    middle = classes // 2
    steps = np.floor(np.clip(np.asarray(audio, np.float64), -1, 1) * middle + 0.5)
    codes: NDArray[np.int32] = np.minimum(steps + middle, classes - 1).astype(np.int32)
    return codes


def decode(codes: NDArray[np.integer[Any]], classes: int) -> NDArray[np.float32]:
    """Classes 0 to A-1 to samples in [-1, 1], float32. `decode(encode(x))` is nearest to x."""
    middle = classes // 2
    samples: NDArray[np.float32] = (
        (np.asarray(codes, np.int64) - middle) / np.float64(middle)
    ).astype(np.float32)
    return samples
