"""Where a sound begins and ends, in quiet rooms and in loud ones."""

from __future__ import annotations

import numpy as np
import pytest

from tests.train.recordings import tone
from wn_train.alignment import ends
from wn_train.data.decoding import Faulty


@pytest.mark.parametrize("room", [1e-5, 3e-3])
@pytest.mark.parametrize("rate", [8000, 22050])
def test_the_ends_of_a_tone(room: float, rate: int) -> None:
    sound = np.concatenate([np.zeros(rate // 5), tone(700, 0.3, rate), np.zeros(rate // 2)])
    sound += room * np.random.default_rng(0).standard_normal(len(sound))
    start, end = ends.spoken(sound.astype(np.float32), rate)
    assert start == pytest.approx(0.2, abs=0.025)
    assert end == pytest.approx(0.5, abs=0.025)


def test_quiet_within_is_not_outside() -> None:
    gap = np.zeros(800, np.float32)
    sound = np.concatenate([gap, tone(700, 0.1), gap, tone(900, 0.1), gap])
    above = ends.prominence(sound, 8000)
    outside = ends.outside(above)
    assert len(outside) == 100
    assert (above[45:55] < 0).all()
    assert (outside[45:55] == 0).all()
    assert (outside[[0, 15, 85, 99]] < 0).all()
    assert (outside[[25, 35, 65, 75]] > 0).all()


@pytest.mark.parametrize("samples", [1, 7, 4000])
def test_silence(samples: int) -> None:
    with pytest.raises(Faulty, match="silent"):
        ends.spoken(np.zeros(samples, np.float32), 8000)


def test_a_level_every_five_milliseconds() -> None:
    assert len(ends.levels(tone(300, 0.2012), 8000)) == 41
    assert len(ends.levels(np.ones(1, np.float32), 8000)) == 1
