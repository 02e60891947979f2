"""Where a recording has sound and where it has none, by its energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wn_train.data.decoding import Faulty

_STEP_S, _WINDOW_S = 0.005, 0.015
_PREEMPHASIS = 0.9
"""Lifts what fricatives have against hum."""
_BELOW_PEAK_DB = 30.0
_ABOVE_FLOOR = 0.25
"""Of the way from the quietest to the loudest, in dB: where rooms are loud."""
_MARGIN = 2
"""Frames before and after the sound that may still be its own."""
_SILENT_DB = -90.0


def hop(rate: int) -> int:
    """Samples from frame to frame: about 5 ms."""
    return max(1, round(_STEP_S * rate))


def spoken(audio: NDArray[np.float32], rate: int) -> tuple[float, float]:
    """Seconds at which the sound of audio (T,) begins and ends. Raises Faulty for silence."""
    start, end = _sound(prominence(audio, rate))
    return start * hop(rate) / rate, min(len(audio), end * hop(rate)) / rate


def prominence(audio: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Audio (T,) to (F,): dB above what counts as sound, one every 5 ms.

    A sound is at most 30 dB below the loudest, and above the quietest by a quarter of the way to
    it. Raises Faulty where all is silent.
    """
    loud = levels(audio, rate)
    top, floor = np.quantile(loud, [0.95, 0.02])
    if top < _SILENT_DB:
        raise Faulty("silent")
    least = max(top - _BELOW_PEAK_DB, floor + _ABOVE_FLOOR * (top - floor))
    return np.asarray(loud - least)


def outside(above: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prominence (F,), but 0 where it is quiet within the sound, as before a stop's burst."""
    start, end = _sound(above)
    result = np.maximum(above, 0)
    result[:start], result[end:] = above[:start], above[end:]
    return result


def levels(audio: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """dB re full scale of audio (T,), pre-emphasised: of 15 ms, one every 5 ms."""
    step, window = hop(rate), max(1, round(_WINDOW_S * rate))
    lifted = np.diff(audio.astype(np.float64), prepend=audio[:1]) + (1 - _PREEMPHASIS) * audio
    sums = np.concatenate([[0.0], np.cumsum(lifted**2)])
    middles = np.arange(0, len(audio), step) + step // 2
    low = np.clip(middles - window // 2, 0, len(audio))
    high = np.clip(low + window, 0, len(audio))
    power = (sums[high] - sums[low]) / np.maximum(high - low, 1)
    result: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 0) + 1e-12)
    return result


def _sound(above: NDArray[np.float64]) -> tuple[int, int]:
    """First frame of the sound, and the one after its last."""
    heard = np.flatnonzero(above >= 0)
    return max(0, int(heard[0]) - _MARGIN), min(len(above), int(heard[-1]) + 1 + _MARGIN)
