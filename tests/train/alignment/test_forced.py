"""One recording, forced: boundaries where the sound changes, and failures that say what failed."""

from __future__ import annotations

import builtins
import itertools
from typing import Any

import numpy as np
import pytest

from tests.train.alignment.voices import RATE, SIX, TWO, bounds_of, spoken
from wn_runtime.errors import WavestepError
from wn_runtime.speech.dictionary import parse
from wn_train.alignment import forced
from wn_train.alignment.forced import Aligner, fitted
from wn_train.data.decoding import Faulty
from wn_train.data.resampling import resampled

SIX_PHONES = ("S", "IH", "K", "S")
WORDS = parse("six S IH K S\ntwo T UW\ntwo(2) S IH K S\n", "words")


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
    return Aligner(WORDS)


def test_a_word(aligner: Aligner) -> None:
    segments = aligner.align(spoken(SIX), RATE, ["six"])
    assert [segment.phone for segment in segments] == [phone for phone, _ in SIX]
    assert segments[0].start == 0
    assert segments[-1].end == pytest.approx(0.8)
    found = [segment.end for segment in segments]
    off = np.abs(np.subtract(found, bounds_of(SIX)))
    assert off[0] < 0.1  # where the first S begins it does not hear well
    assert off[1:].max() < 0.03
    for before, after in itertools.pairwise(segments):
        assert before.end == after.start


def test_at_another_rate_it_is_the_same_within_two_frames(aligner: Aligner) -> None:
    at_8k = aligner.align(spoken(SIX), RATE, ["six"])
    at_11k = aligner.align(resampled(spoken(SIX), RATE, 11025), 11025, ["six"])
    assert [s.phone for s in at_11k] == [s.phone for s in at_8k]
    ends = [[s.end for s in segments[1:]] for segments in (at_8k, at_11k)]
    np.testing.assert_allclose(ends[1], ends[0], atol=0.021)


def test_the_pronunciation_that_fits_is_taken(aligner: Aligner) -> None:
    segments = aligner.align(spoken(SIX), RATE, ["two"])
    assert [segment.phone for segment in segments if segment.phone != "sil"] == list(SIX_PHONES)
    segments = aligner.align(spoken(TWO), RATE, ["two"])
    assert [segment.phone for segment in segments if segment.phone != "sil"] == ["T", "UW"]


def test_it_depends_on_nothing_before_it(aligner: Aligner) -> None:
    first = aligner.align(spoken(SIX), RATE, ["six"])
    aligner.align(spoken(TWO), RATE, ["two"])
    assert aligner.align(spoken(SIX), RATE, ["six"]) == first
    assert Aligner(WORDS).align(spoken(SIX), RATE, ["six"]) == first


def test_a_pause_among_the_words_is_no_word(aligner: Aligner) -> None:
    sound = np.concatenate([spoken(SIX), spoken(TWO)])
    segments = aligner.align(sound, RATE, ["six", ",", "two"])
    heard = [segment.phone for segment in segments if segment.phone != "sil"]
    assert heard in (["S", "IH", "K", "S", "T", "UW"], ["S", "IH", "K", "S"] * 2)


def test_a_pause_between_words_is_silence(aligner: Aligner) -> None:
    said = (*SIX[:-1], ("sil", 0.4), *SIX[1:])
    segments = aligner.align(spoken(said), RATE, ["six", "six"])
    (pause,) = [segment for segment in segments[1:-1] if segment.phone == "sil"]
    assert pause.start == pytest.approx(0.65, abs=0.07)
    assert pause.end == pytest.approx(1.05, abs=0.07)


@pytest.mark.parametrize(
    ("sound", "words", "reason"),
    [
        (np.zeros(RATE, np.float32), ["six"], "silent"),
        (spoken(SIX), [","], "has no words"),
        (spoken(SIX)[1200:1400], ["six"] * 20, "too short|does not fit|cannot be aligned"),
        (np.ones(5, np.float32), ["six"], "too short|does not fit|cannot be aligned"),
        (np.ones(RATE * 121, np.float32), ["six"], "lasts 121 s; at most 120"),
    ],
)
def test_what_fails_says_why(
    aligner: Aligner, sound: np.ndarray[Any, Any], words: list[str], reason: str
) -> None:
    with pytest.raises(Faulty, match=reason):
        aligner.align(sound, RATE, words)
    assert aligner.align(spoken(TWO), RATE, ["two"])  # and the next one does not suffer


def test_phones_of_another_set_are_refused() -> None:
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
    with pytest.raises(
        WavestepError, match=r"phone 'ɪ' is unknown; the acoustic model has: AA, AE"
    ):
        Aligner(parse("six S ɪ K S", "words"))


def test_without_pocketsphinx_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "pocketsphinx":
            raise ImportError("No module named 'pocketsphinx'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(WavestepError, match=r"needs pocketsphinx .*; .*pip install .*features"):
        Aligner(WORDS)


def test_padding_is_taken_off_and_every_phone_keeps_a_frame() -> None:
    phones = [("S", -0.1), ("IH", 0.02), ("K", 0.3), ("S", 0.45)]
    segments = fitted(phones, 0.05, 0.4, 0.5)
    assert [(s.phone, s.start, s.end) for s in segments] == [
        ("sil", 0.0, 0.05),
        ("S", 0.05, pytest.approx(0.06)),
        ("IH", pytest.approx(0.06), 0.3),
        ("K", 0.3, pytest.approx(0.39)),
        ("S", pytest.approx(0.39), 0.4),
        ("sil", 0.4, 0.5),
    ]


def test_silence_at_the_ends_is_the_narrower_of_both() -> None:
    segments = fitted([("SIL", -0.1), ("S", 0.2), ("SIL", 0.3)], 0.1, 0.45, 0.5)
    assert [(s.phone, s.end) for s in segments] == [("sil", 0.2), ("S", 0.3), ("sil", 0.5)]
    whole = fitted([("S", -0.1)], 0.005, 0.495, 0.5)
    assert [(s.phone, s.start, s.end) for s in whole] == [("S", 0.0, 0.5)]


def test_two_silences_in_a_row_are_one() -> None:
    segments = fitted([("S", 0.0), ("SIL", 0.1), ("SIL", 0.2), ("T", 0.3)], 0.0, 0.5, 0.5)
    assert [(s.phone, s.end) for s in segments] == [("S", 0.1), ("sil", 0.3), ("T", 0.5)]


def test_a_sound_shorter_than_its_phones_takes_of_what_is_around_it() -> None:
    segments = fitted([("S", 0.0), ("IH", 0.1), ("K", 0.2)], 0.095, 0.1, 0.1)
    assert [s.phone for s in segments] == ["sil", "S", "IH", "K"]
    assert segments[-1].end == pytest.approx(0.1)
    with pytest.raises(Faulty, match=r"too short, 0\.020 s for 3 phones"):
        fitted([("S", 0.0), ("IH", 0.1), ("K", 0.2)], 0, 0.02, 0.02)


def test_phones_are_the_acoustic_models() -> None:
    assert len(set(forced.PHONES)) == 39
