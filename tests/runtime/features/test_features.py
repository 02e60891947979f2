"""Columns in their order, level and pitch in their units, and the same number of frames for all."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np
import pytest

from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_runtime.features.level import FLOOR, log_level
from wn_runtime.features.pitch import PitchRange, f0, log_f0

RATE = 8000


def glide(low: float, high: float, seconds: float = 1.0) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A voice-like sound whose pitch rises."""
    t = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(low + (high - low) * t / seconds) / RATE
    overtones = np.stack([np.sin(k * phase) / k for k in range(1, 9)])
    sound: np.ndarray[Any, np.dtype[np.float32]] = 0.2 * overtones.sum(axis=0)
    return sound.astype(np.float32)


def test_the_level_of_a_sine_is_its_root_mean_square() -> None:
    sine = 0.5 * np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE).astype(np.float32)
    level = log_level(sine, 80, 160)
    np.testing.assert_allclose(level[2:-2], math.log(0.5 / math.sqrt(2)), atol=1e-3)
    assert (log_level(np.zeros(800, np.float32), 80, 160) == np.float32(math.log(FLOOR))).all()


def test_pitch_is_that_of_the_frames_middle() -> None:
    pytest.importorskip("pyworld")
    hz = f0(glide(120, 180), RATE, 80)
    middle = 120 + 60 * (np.arange(100) * 80 + 40) / RATE
    voiced = hz > 0
    assert voiced.mean() > 0.9
    errors = 1200 * np.log2(hz[voiced] / middle[voiced])
    assert abs(np.median(errors)) < 3  # cents
    assert np.sqrt(np.mean(errors**2)) < 15


@pytest.mark.parametrize("samples", [0, 1, 37, 80, 801])
def test_pitch_of_a_snippet_has_a_value_a_frame(samples: int) -> None:
    pytest.importorskip("pyworld")
    assert f0(glide(120, 180)[:samples], RATE, 80).shape == (-(-samples // 80),)


def test_silence_is_unvoiced_and_of_the_middle_pitch() -> None:
    pytest.importorskip("pyworld")
    features = Features(RATE, 80, 320, pitch=True)
    frames = features.extract(np.zeros(RATE, np.float32))
    middle = math.log(71 * 800) / 2
    np.testing.assert_allclose(frames, np.tile([middle, 0], (100, 1)), rtol=1e-6)


def test_gaps_are_bridged_on_a_straight_line() -> None:
    pitch, voiced = log_f0(np.array([0, 100, 0, 0, 0, 200, 0]), PitchRange())
    expected = np.log([100, 100, 2**0.25 * 100, 2**0.5 * 100, 2**0.75 * 100, 200, 200])
    np.testing.assert_allclose(pitch, expected, rtol=1e-6)
    assert voiced.tolist() == [0, 1, 0, 0, 0, 1, 0]


def test_columns_come_in_order() -> None:
    pytest.importorskip("pyworld")
    features = Features(RATE, 80, 320, mel=4, level=True, pitch=True)
    assert features.names == ("mel 0", "mel 1", "mel 2", "mel 3", "level", "ln F0", "voiced")
    sound = glide(120, 180)[: RATE - 7]
    frames = features.extract(sound)
    assert frames.shape == (100, 7)
    assert frames.dtype == np.float32
    np.testing.assert_array_equal(frames[:, 4], log_level(sound, 80, 320))
    assert math.log(110) < frames[50, 5] < math.log(190)
    assert frames[50, 6] == 1


def test_without_pyworld_pitch_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "pyworld":
            raise ImportError("No module named 'pyworld'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(WavestepError, match=r"pitch needs pyworld .*; .*pip install .*features"):
        f0(glide(100, 120), RATE, 80)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "there is nothing to extract"),
        ({"mel": 40, "hop": 0}, "hop is 0"),
        ({"mel": -1, "level": True}, "bands is -1"),
        ({"pitch": True, "pitch_low_hz": 900.0}, "pitch lies from 900 to 800 Hz"),
        ({"phones": tuple(map(str, range(513)))}, "it has 513 phones; at most 512"),
        ({"sample_rate": 0, "mel": 40}, "sample_rate is 0; it must be 1 to 1000000 Hz"),
    ],
)
def test_what_cannot_be_extracted_is_told(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Features(**{"sample_rate": RATE, "hop": 80, "window": 320, **arguments})
