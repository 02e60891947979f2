"""Forced alignment of many recordings, each with its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wn_runtime.commands.bar import Bar
from wn_runtime.speech.dictionary import Dictionary
from wn_runtime.speech.labels import Segment
from wn_train.alignment.forced import Aligner
from wn_train.data import decoding
from wn_train.data.decoding import Faulty


@dataclass(frozen=True)
class Spoken:
    """A recording and what is said in it."""

    path: Path
    words: tuple[str, ...]


def align(
    recordings: Sequence[Spoken], dictionary: Dictionary, rate: int
) -> list[tuple[Segment, ...] | str]:
    """For each recording its segments, or why there are none, in a few words.

    rate: Hz that they are read at. Raises WavestepError where words are missing in the dictionary,
    naming all of them, and without pocketsphinx.
    """
    words = (word for recording in recordings for word in recording.words)
    aligner = Aligner(dictionary.subset(words))
    found: list[tuple[Segment, ...] | str] = []
    with Bar(leave=True, total=len(recordings), desc="aligning", unit="file") as bar:
        for recording in recordings:
            try:
                audio = decoding.read(recording.path, rate)
                found.append(aligner.align(audio, rate, recording.words))
            except Faulty as fault:
                found.append(str(fault))
            bar.update()
    return found
