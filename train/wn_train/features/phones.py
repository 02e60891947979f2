"""What is said in recordings: by forced alignment with their words, or by label files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wn_runtime.errors import WavestepError
from wn_runtime.speech import labels, text
from wn_runtime.speech.dictionary import Dictionary
from wn_runtime.speech.labels import SILENCE, Segment
from wn_train.alignment import corpus as alignment
from wn_train.alignment import pronunciations
from wn_train.data import decoding
from wn_train.data.corpus import Recording

_LEAST_SHARE = 0.5
"""Of the recordings that must be aligned: with fewer the words, or the language, are not theirs."""
_SLACK_S = 0.02
"""Seconds that labels may end before or after their recording."""


@dataclass(frozen=True)
class Script:
    """Where the phones of recordings come from: alignment with their words, or label files.

    With both, the labels say when, and the words what can be said later.
    """

    column: str = ""
    """Of metadata.csv, which holds what is said."""
    dictionary: Path | None = None
    """How its words are pronounced; None: CMU's."""
    labels: Path | None = None
    """A folder of HTS label files, called as the recordings are."""
    all_words: bool = False
    """Whether the voice can say all words of the dictionary that are made of its phones, or those
    of the corpus alone."""

    def __post_init__(self) -> None:
        if not self.column and (self.dictionary is not None or self.all_words):
            raise ValueError("a dictionary and all its words are for what is said; give --text")
        if not self.column and self.labels is None:
            raise ValueError("the column of what is said has no name; give --text COLUMN")


@dataclass(frozen=True)
class Aligned:
    """The recordings whose phones are known."""

    recordings: tuple[Recording, ...]
    segments: tuple[tuple[Segment, ...], ...]
    dictionary: Dictionary | None
    """Of the words that can be said; None for label files alone."""

    @property
    def phones(self) -> tuple[str, ...]:
        """The inventory."""
        found = {segment.phone for segments in self.segments for segment in segments}
        return (SILENCE, *sorted(found - {SILENCE}))


def aligned(
    recordings: Sequence[Recording], script: Script, rate: int, say: Callable[[str], None]
) -> Aligned:
    """Recordings to those with phones; the others are kept out, counted, and the first is named.

    rate: Hz that they are aligned at. Raises WavestepError for words outside the dictionary, faulty
    label files, and where most recordings fit no alignment.
    """
    if not script.column:
        assert script.labels is not None
        found = [_labelled(recording, script.labels) for recording in recordings]
        return Aligned(tuple(recordings), tuple(found), None)
    source = pronunciations.load(script.dictionary)
    said = [_words(recording, script.column) for recording in recordings]
    source.check(word for words in said for word in words)
    results: list[tuple[Segment, ...] | str]
    if script.labels is not None:
        results = [_labelled(recording, script.labels) for recording in recordings]
    else:
        spoken = [
            alignment.Spoken(recording.path, words, recording.values.get("speaker", ""))
            for recording, words in zip(recordings, said, strict=True)
        ]
        results = alignment.align(spoken, source, rate)
    kept, segments, failed = [], [], []
    for recording, result in zip(recordings, results, strict=True):
        if isinstance(result, str):
            failed.append((recording.path, result))
            continue
        kept.append(recording)
        segments.append(result)
    if len(kept) < _LEAST_SHARE * len(recordings):
        path, why = failed[0]
        raise WavestepError(
            f"{len(failed)} of {len(recordings)} recordings do not fit their words, the first is "
            f"{path}: {why}; look at the column {script.column}, or give --labels"
        )
    if failed:
        path, why = failed[0]
        say(f"{len(failed)} recordings fit no alignment and are left out, first {path}: {why}")
    words = None if script.all_words else {word for each in said for word in each}
    return Aligned(tuple(kept), tuple(segments), _sayable(source, words, segments))


def _words(recording: Recording, column: str) -> tuple[str, ...]:
    """What is said. Raises WavestepError that names the recording where that is no text."""
    try:
        return text.words(recording.text)
    except WavestepError as error:
        raise WavestepError(f"{recording.path}: column {column}: {error}") from error


def _sayable(
    source: Dictionary, words: set[str] | None, segments: Sequence[tuple[Segment, ...]]
) -> Dictionary:
    """Of these words, or of all, the pronunciations that these phones suffice for."""
    phones = {segment.phone for each in segments for segment in each}
    table = {}
    for word, some in source.pronunciations.items():
        usable = tuple(one for one in some if phones.issuperset(one))
        if usable and (words is None or word in words):
            table[word] = usable
    return Dictionary(table)


def _labelled(recording: Recording, folder: Path) -> tuple[Segment, ...]:
    path = folder / f"{recording.path.stem}.lab"
    segments = labels.read(path)
    header = decoding.header(recording.path)
    seconds = header.frames / header.rate
    last = segments[-1]
    if abs(last.end - seconds) > _SLACK_S:
        raise WavestepError(
            f"{path} ends at {last.end:g} s, its recording at {seconds:g} s; label all of it"
        )
    return (*segments[:-1], dataclasses.replace(last, end=max(seconds, last.start + 1e-3)))
