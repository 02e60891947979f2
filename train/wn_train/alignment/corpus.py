"""Forced alignment of many recordings, each with its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wn_runtime.commands.bar import Bar
from wn_runtime.errors import WavestepError
from wn_runtime.speech.dictionary import Dictionary
from wn_train.alignment import viterbi
from wn_train.alignment.forced import Aligner
from wn_train.alignment.viterbi import ROUNDS, Heard, Segments
from wn_train.data import decoding
from wn_train.data.decoding import Faulty

LEAST_RATE = 4000
"""Hz: with less of the spectrum phones sound alike."""


@dataclass(frozen=True)
class Spoken:
    """A recording and what is said in it."""

    path: Path
    words: tuple[str, ...]
    voice: str = ""
    """Who says it, where that is known."""


def align(
    recordings: Sequence[Spoken], dictionary: Dictionary, rate: int, rounds: int = ROUNDS
) -> list[Segments | str]:
    """For each recording its segments, or in a few words why there are none.

    rate: Hz that they are read at. rounds: of re-alignment after pocketsphinx; the fewer the
    recordings, the less they are worth. The same recordings give the same segments. Raises
    WavestepError for words that the dictionary lacks, naming all, and without pocketsphinx.
    """
    found = hear(recordings, dictionary, rate)
    good = [one for one in found if isinstance(one, Heard)]
    with Bar(leave=True, total=rounds * len(good), desc="refining", unit="file") as bar:
        refined = iter(viterbi.realigned(good, rounds, lambda: _note(bar)))
    return [one if isinstance(one, str) else next(refined) for one in found]


def hear(recordings: Sequence[Spoken], dictionary: Dictionary, rate: int) -> list[Heard | str]:
    """What `align` has of each recording before the rounds, or why there is nothing."""
    if rate < LEAST_RATE:
        raise WavestepError(f"{rate} Hz are too few to align at; take at least {LEAST_RATE}")
    words = (word for recording in recordings for word in recording.words)
    aligner = Aligner(dictionary.subset(words))
    found: list[Heard | str] = []
    with Bar(leave=True, total=len(recordings), desc="aligning", unit="file") as bar:
        for recording in recordings:
            found.append(_heard(aligner, recording, rate))
            bar.update()
    return found


def _note(bar: Bar) -> None:
    bar.update()


def _heard(aligner: Aligner, recording: Spoken, rate: int) -> Heard | str:
    try:
        audio = decoding.read(recording.path, rate)
        segments = aligner.align(audio, rate, recording.words)
        return viterbi.heard(audio, rate, segments, recording.voice)
    except Faulty as fault:
        return str(fault)
