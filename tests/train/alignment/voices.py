"""Words by rule: a buzz or a hiss through resonances, good enough for an aligner to follow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 8000
SIX = (("sil", 0.12), ("S", 0.15), ("IH", 0.12), ("K", 0.1), ("S", 0.16), ("sil", 0.15))
TWO = (("sil", 0.1), ("T", 0.08), ("UW", 0.2), ("sil", 0.12))
_FORMANTS = {"IH": (400.0, 1950.0, 2600.0), "UW": (320.0, 900.0, 2300.0)}
Said = Sequence[tuple[str, float]]
"""Phones and their seconds."""


def spoken(
    said: Said, seed: int = 0, pitch: float = 110.0, rate: int = RATE
) -> NDArray[np.float32]:
    """(T,): the phones one after the other, over the faint noise of a room."""
    rng = np.random.default_rng(seed)
    parts = [_phone(phone, round(seconds * rate), rng, pitch, rate) for phone, seconds in said]
    sound = np.concatenate(parts)
    return (sound + 0.001 * rng.standard_normal(len(sound))).astype(np.float32)


def bounds_of(said: Said) -> list[float]:
    """Seconds at which the phones end."""
    return [float(end) for end in np.cumsum([seconds for _, seconds in said])]


def save(path: Path, said: Said, seed: int = 0, pitch: float = 110.0) -> Path:
    """A recording of it."""
    soundfile.write(path, spoken(said, seed, pitch), RATE)
    return path


def _phone(
    phone: str, samples: int, rng: np.random.Generator, pitch: float, rate: int
) -> NDArray[np.float64]:
    if phone in _FORMANTS:
        buzz = np.zeros(samples)
        buzz[:: round(rate / pitch)] = 1.0
        for hertz in _FORMANTS[phone]:
            buzz = _resonance(buzz, hertz, 90.0, rate)
        return buzz * (0.5 / float(np.abs(buzz).max()))
    hiss = np.diff(rng.standard_normal(samples + 1))
    if phone == "S":
        return 0.05 * _resonance(hiss, 3600.0, 900.0, rate)
    if phone in ("K", "T"):  # closure, then a burst
        burst = np.where(np.arange(samples) > 0.6 * samples, 0.06, 0.0)
        return burst * _resonance(hiss, 1900.0 if phone == "K" else 3200.0, 900.0, rate)
    return np.zeros(samples)


def _resonance(
    x: NDArray[np.float64], hertz: float, width: float, rate: int
) -> NDArray[np.float64]:
    """Two poles."""
    radius = np.exp(-np.pi * width / rate)
    one, two = 2 * radius * np.cos(2 * np.pi * hertz / rate), -(radius**2)
    y = np.zeros(len(x) + 2)
    for i, value in enumerate(x):
        y[i + 2] = value + one * y[i + 1] + two * y[i]
    return y[2:]
