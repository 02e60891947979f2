"""A folder that wn-train takes, made of another: the same recordings, and a file of frames each.

    frames/<recording>.npy   (ceil(T / hop), C) float32
    labels/<recording>.lab   its phones, where it has any
    audio/<recording>.wav    where recordings were joined
    plots/<recording>.png    some of them to look at
    features.json            what the columns of a frame are, and how they were measured
    dictionary.txt           the words that can be said, where it has phones
    metadata.csv             the recordings, and their frames

It is replaced whole or stays as it was.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from wn_runtime import folders
from wn_runtime.commands.bar import Bar
from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_runtime.features.level import gain_to
from wn_runtime.features.windows import frames_of
from wn_runtime.speech import labels, linguistic
from wn_runtime.speech.labels import Segment
from wn_train.data import corpus, decoding, rates
from wn_train.data.audio import louder
from wn_train.data.corpus import FRAMES, METADATA, Recording
from wn_train.data.decoding import Header
from wn_train.data.faults import Faults
from wn_train.features import joining, table
from wn_train.features.described import FEATURES, as_plain
from wn_train.features.phones import Script, aligned
from wn_train.features.table import Row

PLOTS = "plots"
AUDIO = "audio"
LABELS = "labels"
DICTIONARY = "dictionary.txt"
SPARED = "nothing was written"
OURS = (METADATA, FEATURES, FRAMES, PLOTS, AUDIO, LABELS, DICTIONARY)
Plot = Callable[[NDArray[np.float32], NDArray[np.float32], Features, Sequence[Segment]], bytes]
"""(audio, frames, what they are, phones) -> a PNG."""


@dataclass(frozen=True)
class Wanted:
    """What is made of the recordings."""

    features: Features
    """Without phones, which come with the script."""
    level: float | None = None
    """Decibels of full scale that every recording's speech is brought to, by a gain of its own in
    metadata.csv; None: as they are."""
    script: Script | None = None
    """Where phones come from; None: the frames have none."""
    join: int = 1
    """Recordings that become one."""
    seed: int = 0
    """Of which are joined, and of what stands between them."""
    plots: int = 0
    """How many are drawn."""

    def __post_init__(self) -> None:
        if self.join > 1 and self.script is None:
            raise ValueError("recordings are joined by their phones; give --text or --labels")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; it must be 0 or more")


@dataclass(frozen=True)
class Source:
    """The folder that frames are made of."""

    folder: Path
    recordings: tuple[Recording, ...]
    headers: Mapping[Path, Header]
    """Of every recording."""


def source(data: Path, text: str = "") -> Source:
    """A folder whose column `text` is text.

    Raises WavestepError that names the first faulty file and counts the others.
    """
    recordings = corpus.read(data, text=text).recordings
    return Source(data, recordings, Faults(SPARED).headers(each.path for each in recordings))


def write(
    given: Source, output: Path, wanted: Wanted, plot: Plot, say: Callable[[str], None]
) -> tuple[int, Features]:
    """Extract the features of every recording into `output`: their number, and what.

    The recordings stay where they are, metadata.csv leads to them; those that are joined are
    written anew. An older folder of this kind is replaced once the new one is whole. Raises
    WavestepError that names the first faulty file and counts the others, and where `output` holds
    anything else.
    """
    data, recordings = given.folder, given.recordings
    faults = Faults(SPARED)
    features, segments, dictionary = wanted.features, None, None
    check_replaceable(output)
    rates.tell(given.headers, features.sample_rate, say)
    if wanted.script is not None:
        found = aligned(recordings, wanted.script, features.sample_rate, say)
        recordings, segments, dictionary = found.recordings, found.segments, found.dictionary
        try:
            features = dataclasses.replace(features, phones=found.phones)
        except ValueError as error:
            raise WavestepError(f"{data}: of the labels: {error}") from error
    pieces = _pieces(data, recordings, wanted)
    rows: list[Row] = []
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with folders.in_the_making(output) as made:
            silent = 0
            with Bar(leave=True, total=len(pieces), desc="features", unit="file") as bar:
                for number, (name, members) in enumerate(pieces):
                    first = recordings[members[0]]
                    with faults.of(first.path):
                        audio, phones, gain = _read(members, recordings, segments, wanted, number)
                        silent += not np.any(audio)
                        frames = features.extract(audio, _spoken(audio, phones, features))
                        _save(made / FRAMES / f"{name}.npy", _npy(frames))
                        path = first.path
                        if len(members) > 1 or wanted.join > 1:
                            path = made / AUDIO / f"{name}.wav"
                            _save(path, _wav(audio, features.sample_rate))
                        if phones:
                            _save(made / LABELS / f"{name}.lab", labels.written(phones).encode())
                        if number < wanted.plots:
                            drawn = plot(audio, frames, features, phones)
                            _save(made / PLOTS / f"{name}.png", drawn)
                        rows.append(Row(path, first, f"{FRAMES}/{name}.npy", gain))
                    bar.update()
            faults.check()
            _save(made / FEATURES, f"{json.dumps(as_plain(features), indent=1)}\n".encode())
            if dictionary is not None:
                _save(made / DICTIONARY, dictionary.written().encode())
            _save(made / METADATA, table.written(made, output, rows))
            check_replaceable(output)
            folders.put(made, output)
    except OSError as error:
        raise WavestepError(
            f"{output} cannot be written: {error.strerror or error}; what was there is as it was"
        ) from error
    if silent:
        say(f"silent recordings: {silent}; their frames tell nothing else")
    return len(pieces), features


def _pieces(
    data: Path, recordings: Sequence[Recording], wanted: Wanted
) -> list[tuple[str, tuple[int, ...]]]:
    """Names, and the numbers of the recordings that each is made of."""
    if wanted.join == 1:
        return [(name, (i,)) for i, name in enumerate(_names(data, recordings))]
    members = joining.groups(recordings, wanted.join, np.random.default_rng(wanted.seed))
    return [(f"joined-{i:05}", each) for i, each in enumerate(members)]


def _read(
    members: Sequence[int],
    recordings: Sequence[Recording],
    segments: Sequence[tuple[Segment, ...]] | None,
    wanted: Wanted,
    number: int,
) -> tuple[NDArray[np.float32], tuple[Segment, ...], float]:
    """The audio, phones and gain (dB) of a piece; the gain is in the audio of what is joined."""
    features, parts, gain = wanted.features, [], 0.0
    for member in members:
        audio = decoding.read(recordings[member].path, features.sample_rate)
        gain = recordings[member].gain
        if wanted.level is not None:
            gain = gain_to(audio, wanted.level, features.hop, features.window)
        parts.append((louder(audio, gain), () if segments is None else segments[member]))
    if wanted.join == 1:
        return *parts[0], gain
    rng = np.random.default_rng((wanted.seed, number))
    made = joining.joined(parts, features.sample_rate, rng)
    return made.audio, made.segments, 0.0


def _spoken(
    audio: NDArray[np.float32], phones: Sequence[Segment], features: Features
) -> NDArray[np.float32] | None:
    """The columns of a piece's phones. Raises WavestepError where it is too short for them."""
    if not phones:
        return None
    total = frames_of(len(audio), features.hop)
    hop_s = features.hop / features.sample_rate
    lengths = linguistic.whole_frames([phone.end for phone in phones], hop_s, total)
    return linguistic.columns([phone.phone for phone in phones], lengths, features.phones)


def check_replaceable(output: Path) -> None:
    """Raise WavestepError unless `output` is free, empty or holds nothing but what is written here.

    Raises OSError where nobody may look.
    """
    if not os.path.lexists(output):
        return
    if output.is_symlink() or not output.is_dir():
        raise WavestepError(f"{output} exists and is no folder; give another -o")
    foreign = sorted(entry.name for entry in output.iterdir() if entry.name not in OURS)
    if foreign or ((output / METADATA).exists() and not (output / FEATURES).exists()):
        what = foreign[0] if foreign else METADATA
        raise WavestepError(
            f"{output} holds {what!r:.60}, which wn-features did not write; give another -o"
        )


def _names(data: Path, recordings: Sequence[Recording]) -> list[str]:
    """Of each recording's files: its path in the folder, without its suffix."""
    found = []
    for recording in recordings:
        path = recording.path.with_suffix("")
        inside = path.relative_to(data) if path.is_relative_to(data) else Path(path.name)
        found.append("/".join(part for part in inside.parts if part not in ("..", "/")))
    if len(set(found)) < len(found):
        twice = next(name for name in found if found.count(name) > 1)
        raise WavestepError(
            f"{data} has two recordings called {twice!r}; give them different names"
        )
    return found


def _npy(frames: NDArray[np.float32]) -> bytes:
    data = io.BytesIO()
    np.save(data, frames, allow_pickle=False)
    return data.getvalue()


def _save(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _wav(audio: NDArray[np.float32], rate: int) -> bytes:
    data = io.BytesIO()
    soundfile.write(data, audio, rate, format="WAV", subtype="PCM_16")
    return data.getvalue()
