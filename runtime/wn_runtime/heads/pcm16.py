"""The grid of 16-bit samples: amplitudes k / 32768, k from -32768 to 32767."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SCALE = np.float32(32768)
STEP = 2.0**-15
LOWEST, HIGHEST = np.float32(-1), np.float32(32767 / 32768)


def every() -> NDArray[np.float32]:
    """All 65,536 amplitudes, from the lowest to the highest."""
    return np.arange(-32768, 32768, dtype=np.float32) / SCALE


def encode(audio: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Samples in [-1, 1] (beyond: clipped) to the nearest of the grid, ties to even."""
    steps = np.rint(np.clip(np.asarray(audio, np.float64), -1, 1) * 32768)
    nearest: NDArray[np.float32] = (np.minimum(steps, 32767) / 32768).astype(np.float32)
    return nearest
