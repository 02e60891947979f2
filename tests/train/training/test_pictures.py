"""Pictures beside a sound: a spectrogram, and its frames beside those it was to follow."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

from tests.train.recordings import RATE, tone
from wn_runtime.features.features import Features
from wn_train.training.pictures import compared, measurable, spectrogram, spectrogram_with_axes

MEL = Features(RATE, 80, 320, mel=20, level=True)
PITCH = Features(RATE, 80, 320, mel=20, pitch=True)
ALONE = Features(RATE, 80, 320, pitch=True)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_a_tone_is_a_line_in_its_spectrogram() -> None:
    picture = spectrogram(tone(1000, 0.5))
    assert picture.shape[0] == 129
    assert (picture.min() >= 0, picture.max()) == (True, 1)
    rows = np.argmax(picture[:, 5:-5], axis=0)
    assert set(rows) <= {128 - 32 + i for i in (-1, 0, 1)}, "1000 of 4000 Hz, from below"
    assert spectrogram(np.zeros(100, np.float32)).max() == 0


def test_frames_of_another_sound_look_different() -> None:
    pytest.importorskip("matplotlib")
    low, high = tone(300, 0.5), tone(900, 0.5)
    same = pixels(compared(MEL, MEL.extract(low), MEL, low))
    other = pixels(compared(MEL, MEL.extract(low), MEL, high))
    assert same.shape == other.shape
    changed = np.flatnonzero(np.abs(same - other).sum(axis=(1, 2)))
    assert changed.min() > len(same) / 4, "the recording's own, above, stay"
    assert changed.max() > len(same) / 2


def test_its_words_can_be_read_in_the_width_that_tensorboard_shows() -> None:
    pytest.importorskip("matplotlib")
    wave = tone(300, 0.5)
    for picture in (compared(MEL, MEL.extract(wave), MEL, wave), spectrogram_with_axes(wave, RATE)):
        assert 340 <= pixels(picture).shape[1] <= 1.5 * 340


def test_pitch_is_drawn_of_both_where_it_can_be_measured() -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("pyworld")
    voice = sum((tone(200 * k, 0.5) / k for k in range(1, 5)), start=np.zeros(1)) / 4
    wave = voice.astype(np.float32)
    assert measurable(PITCH) == PITCH
    with_both = pixels(compared(PITCH, PITCH.extract(wave), PITCH, wave))
    without = Features(RATE, 80, 320, mel=20)
    with_one = pixels(compared(PITCH, PITCH.extract(wave), without, wave))
    assert with_both.shape == with_one.shape
    assert (with_both != with_one).any()


def test_without_pyworld_there_is_no_pitch_to_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyworld", None)
    found = measurable(PITCH)
    assert found is not None
    assert (found.mel, found.pitch) == (20, False)
    assert measurable(ALONE) is None
    spoken = Features(RATE, 80, 320, level=True, phones=("sil", "AA"))
    found = measurable(spoken)
    assert found is not None
    assert (found.phones, found.level) == ((), True)
    assert measurable(Features(RATE, 80, 320, phones=("sil", "AA"))) is None
    assert measurable(MEL) == MEL
