"""A folder that wn-train takes, made of another: the same recordings, and a file of frames each.

    frames/<recording>.npy   (ceil(T / hop), C) float32
    plots/<recording>.png    some of them to look at
    features.json            what the columns of a frame are, and how they were measured
    metadata.csv             the recordings where they are, and their frames

It is replaced whole or stays as it was.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wn_runtime import folders
from wn_runtime.commands.bar import Bar
from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_train.data import corpus, decoding
from wn_train.data.corpus import FRAMES, METADATA, Recording
from wn_train.data.faults import Faults
from wn_train.features.described import FEATURES, as_plain

PLOTS = "plots"
OURS = (METADATA, FEATURES, FRAMES, PLOTS)
Plot = Callable[[NDArray[np.float32], NDArray[np.float32], Features], bytes]
"""(audio, frames, what they are) -> a PNG."""


def write(
    data: Path, output: Path, features: Features, plots: int, plot: Plot, say: Callable[[str], None]
) -> int:
    """Extract the features of every recording of `data` into `output`; returns their number.

    The recordings stay where they are: metadata.csv leads to them. An older folder of this kind is
    replaced once the new one is whole. Raises WavestepError that names the first faulty file and
    counts the others, and where `output` holds anything else.
    """
    recordings = corpus.read(data).recordings
    names = _names(data, recordings)
    faults = Faults("nothing was written")
    for recording in recordings:
        with faults.of(recording.path):
            decoding.header(recording.path)
    faults.check()
    try:
        check_replaceable(output)
        output.parent.mkdir(parents=True, exist_ok=True)
        with folders.in_the_making(output) as made:
            silent = 0
            with Bar(leave=True, total=len(recordings), desc="features", unit="file") as bar:
                for number, (recording, name) in enumerate(zip(recordings, names, strict=True)):
                    with faults.of(recording.path):
                        audio = decoding.read(recording.path, features.sample_rate)
                        frames = features.extract(audio)
                        silent += not np.any(audio)
                        _save(made / FRAMES / f"{name}.npy", _npy(frames))
                        if number < plots:
                            _save(made / PLOTS / f"{name}.png", plot(audio, frames, features))
                    bar.update()
            faults.check()
            _save(made / FEATURES, f"{json.dumps(as_plain(features), indent=1)}\n".encode())
            _save(made / METADATA, _table(output, recordings, names))
            check_replaceable(output)
            folders.put(made, output)
    except OSError as error:
        raise WavestepError(
            f"{output} cannot be written: {error.strerror or error}; what was there is as it was"
        ) from error
    if silent:
        say(f"silent recordings: {silent}; their frames tell nothing else")
    return len(recordings)


def sample_rate(data: Path) -> int:
    """Hz of the first recording of a folder. Raises WavestepError."""
    first = corpus.read(data).recordings[0]
    try:
        return decoding.header(first.path).rate
    except decoding.Faulty as fault:
        raise WavestepError(f"{first.path}: {fault}; mend or remove it") from fault


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


def _table(output: Path, recordings: Sequence[Recording], names: Sequence[str]) -> bytes:
    """metadata.csv: with relative paths, so that both folders can be moved together.

    Raises WavestepError for a path that is no UTF-8, which no such file can name.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    conditions = list(recordings[0].values)
    table.writerow(["file", "split", *conditions, FRAMES])
    here = os.path.realpath(output)
    for recording, name in zip(recordings, names, strict=True):
        audio = os.path.relpath(os.path.realpath(recording.path), here)
        values = [recording.values[condition] for condition in conditions]
        table.writerow([audio, recording.split, *values, f"{FRAMES}/{name}.npy"])
    try:
        return text.getvalue().encode()
    except UnicodeEncodeError as error:
        raise WavestepError(
            f"a recording's path is not UTF-8 ({error.object[error.start - 9 : error.end]!r}); "
            "rename it"
        ) from error
