"""Where a recording's sound begins and ends, by its energy: what lies beyond is no phone's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wn_train.data.decoding import Faulty

_WINDOW_S, _STEP_S = 0.015, 0.005
_PREEMPHASIS = 0.9
"""Lifts what fricatives have against hum."""
_BELOW_PEAK_DB = 30.0
_ABOVE_FLOOR = 0.25
"""Of the way from the quietest to the loudest, in dB: where rooms are loud."""
_MARGIN_S = 0.01
_SILENT_DB = -90.0


def spoken(audio: NDArray[np.float32], rate: int) -> tuple[float, float]:
    """Seconds at which the sound of audio (T,) begins and ends. Raises Faulty where it is silent.

    Loudness is the level of 15 ms, pre-emphasised; a sound is at most 30 dB below the loudest, and
    above the quietest by a quarter of the way to it.
    """
    loud = levels(audio, rate)
    top, floor = np.quantile(loud, [0.95, 0.02])
    if top < _SILENT_DB:
        raise Faulty("silent")
    threshold = max(top - _BELOW_PEAK_DB, floor + _ABOVE_FLOOR * (top - floor))
    heard = np.flatnonzero(loud >= threshold)
    start = max(0.0, heard[0] * _STEP_S - _MARGIN_S)
    end = min(len(audio) / rate, (heard[-1] + 1) * _STEP_S + _MARGIN_S)
    return float(start), float(end)


def levels(audio: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """dB re full scale of audio (T,), one every 5 ms."""
    step, window = max(1, round(_STEP_S * rate)), max(1, round(_WINDOW_S * rate))
    lifted = np.diff(audio.astype(np.float64), prepend=audio[:1]) + (1 - _PREEMPHASIS) * audio
    sums = np.concatenate([[0.0], np.cumsum(lifted**2)])
    middles = np.arange(0, len(audio), step) + step // 2
    low = np.clip(middles - window // 2, 0, len(audio))
    high = np.clip(low + window, 0, len(audio))
    power: NDArray[np.float64] = (sums[high] - sums[low]) / np.maximum(high - low, 1)
    return 10 * np.log10(np.maximum(power, 0) + 1e-12)
