"""A corpus: every recording has its segments or a reason, and what fails harms no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.train.alignment.voices import RATE, SIX, TWO, save
from wn_runtime.errors import WavestepError
from wn_runtime.speech.dictionary import parse
from wn_train.alignment.corpus import Spoken, align

WORDS = parse("six S IH K S\ntwo T UW\nnever N EH V ER\n", "words")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Spoken]:
    """Six that are well, with a silent and a missing one among them."""
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
    folder = tmp_path_factory.mktemp("spoken")
    made = []
    for seed in range(6):
        word, said = (("six", SIX), ("two", TWO))[seed % 2]
        path = save(folder / f"{seed}.wav", said, seed, pitch=100 + 5 * seed)
        made.append(Spoken(path, (word,), "rule"))
    soundfile.write(folder / "silent.wav", np.zeros(4000), RATE)
    made.insert(2, Spoken(folder / "silent.wav", ("six",), "rule"))
    made.insert(4, Spoken(folder / "missing.wav", ("six",), "rule"))
    return made


def test_segments_or_a_reason(recordings: list[Spoken]) -> None:
    found = align(recordings, WORDS, RATE)
    assert found[2] == "silent"
    assert found[4] == "file is missing"
    for recording, segments in zip(recordings, found, strict=True):
        if not isinstance(segments, str):
            phones = [s.phone for s in segments if s.phone != "sil"]
            assert phones == list(WORDS.pronunciations[recording.words[0]][0])
    assert sum(isinstance(one, str) for one in found) == 2


def test_the_same_again(recordings: list[Spoken]) -> None:
    assert align(recordings, WORDS, RATE) == align(recordings, WORDS, RATE)


def test_a_recording_is_no_others_business_without_rounds(recordings: list[Spoken]) -> None:
    every = align(recordings, WORDS, RATE, rounds=0)
    assert align(recordings[:1], WORDS, RATE, rounds=0) == every[:1]


def test_words_that_are_missing_are_all_named_before_anything_is_read() -> None:
    spoken = [Spoken(Path("nowhere.wav"), ("six", "sevn")), Spoken(Path("nowhere.wav"), ("oh",))]
    with pytest.raises(WavestepError, match=r"2 words are not in the dictionary: 'oh', 'sevn'"):
        align(spoken, WORDS, RATE)


def test_a_rate_at_which_phones_sound_alike() -> None:
    with pytest.raises(WavestepError, match="2000 Hz are too few to align at; take at least 4000"):
        align([], WORDS, 2000)
