"""What a listener of these measurements is given: real and generated sound treated alike.

    wave -> cut to its sound by energy -> placed in a clip -> level-free log-mel frames

Level-free: a clip's loudest band counts as 1, so that a voice may be as quiet as it likes.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_runtime.features.level import speech_level
from wn_runtime.features.mel import Mel, filters
from wn_train.alignment import ends
from wn_train.data.decoding import Faulty

RATE, MELS, WINDOW, HOP = 8000, 40, 256, 80
"""Hz, bands, samples, samples."""
QUIET_DB = 12.0
BEGINS = f"it is {QUIET_DB:g} dB quieter than the median of its speaker's clips"
"""When a clip counts as one that never begins; its level is that of its loudest 20 dB."""
_FLOOR = 1e-5
"""Of the loudest band's power, -50 dB: what is quieter counts as this."""
_LEVEL_WINDOW = 120
"""Samples that a level is measured over."""

Wave = NDArray[np.float32]


def trimmed(wave: Wave) -> Wave:
    """A wave (T,) from where its sound begins to where it ends; all of it where it is silent."""
    try:
        start, end = ends.spoken(wave, RATE)
    except Faulty:
        return wave
    return wave[round(start * RATE) : round(end * RATE)]


def never_begin(waves: Sequence[Wave], speakers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of each wave whether nothing is said in it: see BEGINS. speakers (n,): who says it."""
    levels = np.array([speech_level(wave, HOP, _LEVEL_WINDOW) for wave in waves])
    usual = np.array([np.median(levels[speakers == who]) for who in speakers])
    return levels < usual - QUIET_DB


def placed(wave: Wave, offset: int, samples: int) -> Wave:
    """A clip of so many samples with the wave in it from `offset` on; its end may be cut off."""
    clip = np.zeros(samples, np.float32)
    part = wave[: samples - offset]
    clip[offset : offset + len(part)] = part
    return clip


def played(wave: Wave, speed: float) -> Wave:
    """A wave faster or slower, its pitch with it."""
    at = np.arange(0, len(wave) - 1, speed)
    found: Wave = np.interp(at, np.arange(len(wave)), wave).astype(np.float32)
    return found


def noisy(wave: Wave, rng: np.random.Generator) -> Wave:
    """With white noise 20 to 80 dB below its peak."""
    deviation = np.abs(wave).max() * 10 ** rng.uniform(-4, -1)
    return wave + rng.normal(0, deviation, len(wave)).astype(np.float32)


def features(waves: Tensor) -> Tensor:
    """Waves (B, T) to log-mel frames (B, MELS, T / HOP + 1)."""
    window = torch.hann_window(WINDOW)
    power = torch.stft(waves, WINDOW, HOP, window=window, return_complex=True).abs() ** 2
    mel = _filters() @ power
    level = mel.amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    return (mel / level + _FLOOR).log() / 4 + 1.5


@functools.cache
def _filters() -> Tensor:
    """(MELS, bins)."""
    bands = filters(Mel(RATE, HOP, WINDOW, MELS))
    return torch.from_numpy(bands / bands.max())
