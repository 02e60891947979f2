"""How loud a recording is, frame by frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wn_runtime.features.windows import windows

FLOOR = 1e-5
"""Of full scale, -100 dB: what is quieter counts as this."""


def log_level(audio: NDArray[np.float32], hop: int, window: int) -> NDArray[np.float32]:
    """Audio (T,) to (ceil(T / hop),): ln of the root mean square of each window."""
    parts = [
        np.sqrt(np.mean(part.astype(np.float64) ** 2, axis=1))
        for part in windows(audio, hop, window)
    ]
    joined = np.concatenate(parts) if parts else np.empty(0)
    level: NDArray[np.float32] = np.log(np.maximum(joined, FLOOR)).astype(np.float32)
    return level


LOUD = 20.0
"""Decibels below its loudest window: what is louder counts in a recording's level."""


def speech_level(audio: NDArray[np.float32], hop: int, window: int) -> float:
    """Audio (T,) to decibels of full scale: the root mean square of its loud windows together.

    Minus infinity for silence.
    """
    each = np.exp(2 * log_level(audio, hop, window).astype(np.float64))
    if not len(each) or not np.any(audio):
        return -np.inf
    loud = each[each >= each.max() * 10 ** (-LOUD / 10)]
    return float(10 * np.log10(loud.mean()))


def gain_to(audio: NDArray[np.float32], decibels: float, hop: int, window: int) -> float:
    """Decibels that bring a recording's speech level to this one, its peaks within full scale.

    To a tenth; 0 for silence.
    """
    level = speech_level(audio, hop, window)
    if not np.isfinite(level):
        return 0.0
    headroom = -20 * np.log10(float(np.abs(audio).max()))
    return float(np.floor(10 * min(decibels - level, headroom)) / 10)
