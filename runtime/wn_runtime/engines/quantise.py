"""Weights in eight bits, as the engines with int8 have them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def quantise(matrix: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """[k, n] to int8 in [-127, 127] and one float32 scale per column."""
    largest = np.abs(matrix).max(axis=0)
    scale = (np.where(largest > 0, largest, 1) / 127).astype(np.float32)
    return np.rint(matrix / scale).astype(np.int8), scale
