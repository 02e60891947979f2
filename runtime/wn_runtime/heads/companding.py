"""The mu-law curve itself, between amplitudes in [-1, 1], before anything is rounded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def compressed(audio: NDArray[np.floating[Any]], mu: int) -> NDArray[np.float64]:
    """Amplitudes in [-1, 1] (beyond: clipped) as the curve's, in [-1, 1]."""
    x = np.clip(np.asarray(audio, np.float64), -1.0, 1.0)
    y: NDArray[np.float64] = np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)
    return y


def expanded(curve: NDArray[np.floating[Any]], mu: int) -> NDArray[np.float64]:
    """The inverse of `compressed`."""
    y = np.asarray(curve, np.float64)
    x: NDArray[np.float64] = np.sign(y) * np.expm1(np.abs(y) * np.log1p(mu)) / mu
    return x
