"""Of a recording that stands alone the end is held back, cut between frames; no sample is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wn_runtime.errors import WavestepError
from wn_train.data import held_back
from wn_train.data.audio import Utterance
from wn_train.data.corpus import UNSAID, Recording

RATE = 100


def utterance(seconds: float, split: str = UNSAID, hop: int = 0) -> Utterance:
    samples = np.arange(round(seconds * RATE))
    frames = np.arange(-(-len(samples) // hop), dtype=np.float32)[:, None] if hop else None
    return Utterance(Recording(Path("a.wav"), split, {"speaker": "ann"}), samples, frames)


def test_the_last_twentieth_is() -> None:
    said: list[str] = []
    whole = utterance(200)
    training, valid = held_back.cut([whole], RATE, 1, said.append)
    assert [each.recording.split for each in (training, valid)] == ["train", "valid"]
    assert len(valid.samples) == 10 * RATE
    assert (np.concatenate([training.samples, valid.samples]) == whole.samples).all()
    assert training.recording.values == valid.recording.values == {"speaker": "ann"}
    assert said == ["a.wav: its last 10.0 s are held back"]


def test_frames_are_cut_where_samples_are() -> None:
    training, valid = held_back.cut([utterance(12.34, hop=7)], RATE, 7, lambda _: None)
    assert training.frames is not None
    assert valid.frames is not None
    assert len(training.frames) * 7 == len(training.samples)
    assert valid.frames[0, 0] == valid.samples[0] / 7
    assert len(valid.samples) >= RATE


def test_what_has_a_split_stays_whole() -> None:
    given = [utterance(20, "train"), utterance(20, "valid")]
    assert held_back.cut(given, RATE, 1, lambda _: None) == given


def test_a_short_one_is_one_line() -> None:
    with pytest.raises(
        WavestepError, match=r"a\.wav has 9\.9 s and none beside it, .*; add record"
    ):
        held_back.cut([utterance(9.9)], RATE, 1, lambda _: None)
