"""How loud speech is, whatever silence stands around it; and the gain to a wanted level."""

from __future__ import annotations

import numpy as np
import pytest

from wn_runtime.features.level import gain_to, speech_level

HOP, WINDOW = 80, 320


def speech(level: float, silence: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 10 ** (level / 20), 8000)
    quiet = np.random.default_rng(1).normal(0, 1e-4, silence)
    return np.concatenate([quiet, noise, quiet]).astype(np.float32)


def test_silence_around_it_changes_nothing() -> None:
    close, wide = (speech_level(speech(-30, n), HOP, WINDOW) for n in (800, 80_000))
    assert close == pytest.approx(-30, abs=0.5)
    assert wide == pytest.approx(close, abs=0.2)


def test_the_gain_brings_it_there() -> None:
    audio = speech(-34, 800)
    gain = gain_to(audio, -20, HOP, WINDOW)
    assert gain == round(gain, 1)
    louder = audio * np.float32(10 ** (gain / 20))
    assert speech_level(louder, HOP, WINDOW) == pytest.approx(-20, abs=0.15)


def test_peaks_stay_within_full_scale() -> None:
    audio = speech(-34, 800)
    audio[4000] = 0.9
    assert np.abs(audio * 10 ** (gain_to(audio, -20, HOP, WINDOW) / 20)).max() <= 1


def test_silence_has_no_level_and_is_left_alone() -> None:
    assert speech_level(np.zeros(800, np.float32), HOP, WINDOW) == -np.inf
    assert gain_to(np.zeros(800, np.float32), -20, HOP, WINDOW) == 0
    assert speech_level(np.zeros(0, np.float32), HOP, WINDOW) == -np.inf
