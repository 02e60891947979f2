"""The pitch of a voice, frame by frame: WORLD's DIO and StoneMask (Morise et al., 2009, 2016)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime import extras
from wn_runtime.errors import WavestepError
from wn_runtime.features.windows import frames_of
from wn_runtime.interrupts import Held


@dataclass(frozen=True)
class PitchRange:
    """Where a voice's pitch may lie."""

    low_hz: float = 71.0
    high_hz: float = 800.0

    def __post_init__(self) -> None:
        if not 20 <= self.low_hz < self.high_hz <= 4000:
            raise ValueError(
                f"pitch lies from {self.low_hz:g} to {self.high_hz:g} Hz; it must rise within 20 "
                "to 4000 Hz"
            )

    @property
    def middle(self) -> float:
        """ln Hz, halfway: the pitch of a recording without a voiced frame."""
        return math.log(self.low_hz * self.high_hz) / 2


def f0(
    audio: NDArray[np.float32], sample_rate: int, hop: int, within: PitchRange = PitchRange()
) -> NDArray[np.float64]:
    """Audio (T,) to (ceil(T / hop),): the pitch in Hz at each frame's middle, 0 where unvoiced.

    Raises WavestepError without pyworld.
    """
    pyworld = need()
    count = frames_of(len(audio), hop)
    if not count:
        return np.empty(0)
    # WORLD's frame i lies at i*hop: half a hop later is ours. It wants a few periods at least.
    least = (count + 1) * hop + round(4 * sample_rate / within.low_hz)
    shifted = np.pad(audio[hop // 2 :], (0, max(0, least - len(audio)))).astype(np.float64)
    period = 1000 * hop / sample_rate
    rough, times = pyworld.dio(
        shifted, sample_rate, within.low_hz, within.high_hz, frame_period=period
    )
    fine: NDArray[np.float64] = pyworld.stonemask(shifted, rough, times, sample_rate)
    return np.where((fine >= within.low_hz) & (fine <= within.high_hz), fine, 0)[:count]


def need() -> Any:
    """The module pyworld. Raises WavestepError without it."""
    try:
        with Held():
            import pyworld
    except ImportError as error:
        raise WavestepError(
            f"pitch needs pyworld ({error}); {extras.install_features()}"
        ) from error
    return pyworld


def log_f0(
    hz: NDArray[np.float64], within: PitchRange = PitchRange()
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pitch in Hz (F,), 0 where unvoiced, to ln Hz without gaps, and 1 where voiced: (F,) each.

    Between two voiced frames ln Hz goes on a straight line, beyond the outermost it is held.
    """
    voiced = hz > 0
    frames = np.arange(len(hz))
    if not voiced.any():
        return np.full(len(hz), within.middle, np.float32), np.zeros(len(hz), np.float32)
    joined = np.interp(frames, frames[voiced], np.log(hz[voiced]))
    return joined.astype(np.float32), voiced.astype(np.float32)
