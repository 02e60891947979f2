"""The log mel spectrum of a recording, with librosa's filters (Slaney's, `norm="slaney"`)."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_runtime.features.windows import windows

MOST_WINDOW, MOST_BANDS = 2**16, 1024
FLOOR = 1e-5
"""Of a band's magnitude: what is quieter counts as this."""
_LINEAR_HZ, _STEP_HZ = 1000.0, 200.0 / 3
"""Slaney's scale: below 1000 Hz a mel is 66.7 Hz, above it 27 mels are a factor of 6.4."""
_LOG_STEP = math.log(6.4) / 27


@dataclass(frozen=True)
class Mel:
    """How it is measured."""

    sample_rate: int
    """Hz."""
    hop: int
    """Samples from frame to frame."""
    window: int
    """Samples of a Hann window."""
    bands: int = 80
    low_hz: float = 0.0
    high_hz: float = 0.0
    """0: half the sample rate."""

    def __post_init__(self) -> None:
        if not 2 <= self.window <= MOST_WINDOW:
            raise ValueError(f"window is {self.window}; it must be 2 to {MOST_WINDOW} samples")
        if not 1 <= self.hop <= self.window:
            raise ValueError(f"hop is {self.hop}; it must be 1 to the window's {self.window}")
        if not 1 <= self.bands <= MOST_BANDS:
            raise ValueError(f"bands is {self.bands}; it must be 1 to {MOST_BANDS}")
        if not 0 <= self.low_hz < self.top_hz <= self.sample_rate / 2:
            raise ValueError(
                f"bands lie from {self.low_hz:g} to {self.top_hz:g} Hz; they must rise within 0 to "
                f"{self.sample_rate / 2:g} Hz, half the sample rate"
            )

    @property
    def top_hz(self) -> float:
        """The upper edge of the last band."""
        return self.high_hz or self.sample_rate / 2


def log_mel(audio: NDArray[np.float32], mel: Mel) -> NDArray[np.float32]:
    """Audio (T,) at the mel's rate to (ceil(T / hop), bands): ln of each band's magnitude."""
    shape = np.hanning(mel.window + 1)[:-1].astype(np.float32)
    bands = filters(mel).T
    parts = [
        np.log(np.maximum(np.abs(np.fft.rfft(part * shape)).astype(np.float32) @ bands, FLOOR))
        for part in windows(audio, mel.hop, mel.window)
    ]
    joined: NDArray[np.float32] = np.concatenate(parts) if parts else np.empty((0, mel.bands), "f4")
    return joined


@functools.lru_cache
def filters(mel: Mel) -> NDArray[np.float32]:
    """(bands, window/2 + 1): triangles on the mel scale, each of area 1 over Hz."""
    bins = np.fft.rfftfreq(mel.window, 1 / mel.sample_rate)
    ends = mels_of(np.array([mel.low_hz, mel.top_hz]))
    edges = hz_of(np.linspace(ends[0], ends[1], mel.bands + 2))
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def mels_of(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale (Auditory Toolbox, 1998)."""
    high = np.log(np.maximum(hz, _LINEAR_HZ) / _LINEAR_HZ) / _LOG_STEP
    mels: NDArray[np.float64] = np.minimum(hz, _LINEAR_HZ) / _STEP_HZ + high
    return mels


def hz_of(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `mels_of`."""
    knee = _LINEAR_HZ / _STEP_HZ
    high = np.exp(np.maximum(mels - knee, 0) * _LOG_STEP)
    hz: NDArray[np.float64] = np.minimum(mels, knee) * _STEP_HZ * high
    return hz
