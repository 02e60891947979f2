"""A folder of recordings: which files, which conditions, which split."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wn_runtime import files
from wn_runtime.conditioning.spec import Condition
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model.names import LONGEST
from wn_train.data.faults import Faults

METADATA = "metadata.csv"
FRAMES = "frames"
"""Its column of .npy files."""
GAIN = "gain"
"""Its column of decibels by which a recording is made louder when it is read."""
MOST_GAIN = 120.0
NO_CONDITIONS = ("file", "split", FRAMES, GAIN)
SUFFIXES = (".wav", ".flac")
OTHER_SUFFIXES = (".mp3", ".ogg", ".opus", ".m4a", ".aac", ".wma", ".aif", ".aiff")
SPLITS = ("train", "valid")
UNSAID = ""
"""Of a recording that stands alone, in a folder of which none is held back: its end is to be."""
MOST_METADATA = 32 * 2**20
"""Bytes of metadata.csv."""
MOST_RECORDINGS, MOST_COLUMNS = 2**20, 256
VALID_SHARE = 20
"""Without a `split` column one file in this many is held back, the last of fewer, and of a single
one its end: of each speaker's where folders are speakers, of all where metadata.csv says who."""


@dataclass(frozen=True)
class Recording:
    """One audio file and what is said of it."""

    path: Path
    split: str
    """`train`, `valid` or `UNSAID`."""
    values: dict[str, str]
    """Condition name to value; empty where it is not given, `a+b` for tags."""
    frames: Path | None = None
    """The file of its frames; None where metadata.csv names none."""
    gain: float = 0.0
    """Decibels by which it is made louder when it is read."""
    text: str = ""
    """What is said, where `read` was told which column has it."""


@dataclass(frozen=True)
class Corpus:
    """The recordings of a folder and the conditions that they name."""

    recordings: tuple[Recording, ...]
    conditions: tuple[Condition, ...]

    @property
    def framed(self) -> bool:
        """Whether any recording has frames."""
        return any(recording.frames is not None for recording in self.recordings)


def read(
    folder: Path, columns: Sequence[str] | None = None, framed: bool = False, text: str = ""
) -> Corpus:
    """Read `metadata.csv`; where there is none `<speaker>/*.wav`, or the `*.wav` of one speaker.

    columns: the conditions wanted; None for all. framed: every recording needs a file of frames.
    text: a column that holds what is said, and is no condition.
    Raises WavestepError that names the file, the line and the fault.
    """
    if not folder.is_dir():
        raise WavestepError(
            f"{folder} is not a folder; give one with {METADATA}, <speaker>/*.wav or *.wav"
        )
    metadata = folder / METADATA
    listed = metadata.exists()
    source = metadata if listed else folder
    rows = _from_csv(metadata, framed, text) if listed else _from_folders(folder)
    if text and not listed:
        raise WavestepError(f"{folder} has no {METADATA}, whose column {text!r} says what is said")
    if framed and not rows[0].frames:
        lacks = "no" if listed else f"no {METADATA} with a"
        raise WavestepError(
            f"{source} has {lacks} column {FRAMES!r}, which [model.frames] asks for; name a .npy "
            "file for every recording in it"
        )
    names = list(rows[0].values) if rows else []
    wanted = names if columns is None else list(columns)
    for column in wanted:
        if column not in names:
            owner = "it has" if listed else f"without {METADATA} it has"
            raise WavestepError(f"{source}: {unknown('column', column, names, owner)}")
    recordings = [
        dataclasses.replace(row, values={name: row.values[name] for name in wanted}) for row in rows
    ]
    recordings = _with_splits(folder, recordings)
    return Corpus(tuple(recordings), tuple(_condition(name, recordings, source) for name in wanted))


def _with_splits(folder: Path, recordings: list[Recording]) -> list[Recording]:
    """Those that stand alone are to train on where others are held back.

    Raises WavestepError where a split has no recording.
    """
    said = {recording.split for recording in recordings}
    if UNSAID in said and "valid" not in said:
        return recordings
    for split in SPLITS:
        if split not in said | ({"train"} if UNSAID in said else set()):
            # A recording that cannot be read is what to mend first.
            Faults().headers(recording.path for recording in recordings)
            raise WavestepError(
                f"{folder} has no recording in split {split!r}; add some, or name it in a column "
                f"split of {METADATA}"
            )
    return [dataclasses.replace(each, split=each.split or "train") for each in recordings]


def _condition(name: str, recordings: list[Recording], source: Path) -> Condition:
    given = {recording.values[name] for recording in recordings}
    kind = "tags" if any("+" in value for value in given) else "categorical"
    values = sorted({part for value in given for part in value.split("+") if part})
    if not values:
        raise WavestepError(f"condition {name!r} has no value in any recording; leave it out")
    try:
        return Condition(name, kind, tuple(values))
    except ValueError as error:
        column = f"column {name!r:.60}: " if source.name == METADATA else ""
        raise WavestepError(f"{source}: {column}{error}") from error


def _from_csv(path: Path, framed: bool, text: str) -> list[Recording]:
    lines = _csv_lines(path)
    _, columns = next(lines, (1, []))
    _check_columns(path, columns)
    rows: list[tuple[int, dict[str, str]]] = []
    for number, fields in lines:
        if len(fields) != len(columns):
            raise WavestepError(f"{path}, line {number}: expected {len(columns)} columns")
        if len(rows) == MOST_RECORDINGS:
            raise WavestepError(f"{path} lists over {MOST_RECORDINGS} files")
        rows.append((number, dict(zip(columns, fields, strict=True))))
    if not rows:
        raise WavestepError(f"{path} lists no files")
    if text and text not in columns:
        raise WavestepError(f"{path}: {unknown('column', text, columns, 'it has')}")
    conditions = [column for column in columns if column not in (*NO_CONDITIONS, text)]
    root = os.path.realpath(path.parent)
    recordings = []
    splits: dict[str, str] = {}
    for place, (number, row) in enumerate(rows):
        split = row.get("split") or _split(place, len(rows))
        if split not in (*SPLITS, UNSAID):
            raise WavestepError(f"{path}, line {number}: {unknown('split', split, SPLITS)}")
        if splits.setdefault(row["file"], split) != split and not row.get("split"):
            raise WavestepError(
                f"{path}, line {number}: {row['file']!r:.60} is listed twice, and would be in "
                f"{' and in '.join(SPLITS)}; list it once, or say in which in a column split"
            )
        values = {name: _value(row[name]) for name in conditions}
        frames = path.parent / row[FRAMES] if FRAMES in row else None
        if framed and frames is not None:
            inside = Path(os.path.realpath(frames)).is_relative_to(root)
            if not row[FRAMES] or not inside:
                what = (
                    f"{row[FRAMES]!r:.60} lies outside {path.parent}" if not inside else "is empty"
                )
                raise WavestepError(
                    f"{path}, line {number}: {FRAMES} {what}; name a .npy file in that folder"
                )
        gain = _gain(row.get(GAIN, ""), f"{path}, line {number}")
        said = row[text] if text else ""
        recordings.append(Recording(path.parent / row["file"], split, values, frames, gain, said))
    return recordings


def _gain(given: str, where: str) -> float:
    """Decibels; 0 where the column is empty."""
    try:
        gain = float(given or 0)
    except ValueError:
        gain = math.nan
    if not abs(gain) <= MOST_GAIN:
        raise WavestepError(
            f"{where}: {GAIN} is {given!r:.60}; it must be decibels, -{MOST_GAIN:.0f} to "
            f"{MOST_GAIN:.0f}"
        )
    return gain


def _csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not empty, each with its number."""
    try:
        text = files.read_text(path, MOST_METADATA).removeprefix("\ufeff")
        if "\0" in text:
            raise ValueError("it holds NUL bytes")
        reader = csv.reader(_short_lines(text))
        for fields in reader:
            if fields:
                yield reader.line_num, fields
    except OSError as error:
        raise WavestepError(f"{path} cannot be read as CSV: {error.strerror}") from error
    except (ValueError, csv.Error) as error:  # also UTF-8's
        raise WavestepError(f"{path} cannot be read as CSV: {error}") from error


def _short_lines(text: str) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > csv.field_size_limit():
            raise ValueError(f"line {number} has {len(line)} characters")
        yield line


def _check_columns(path: Path, columns: list[str]) -> None:
    if len(columns) > MOST_COLUMNS:
        raise WavestepError(f"{path} has {len(columns)} columns; at most {MOST_COLUMNS} are read")
    for number, column in enumerate(columns, start=1):
        if not column or len(column) > LONGEST:
            raise WavestepError(f"{path}: the name of column {number} has {len(column)} characters")
        if column in columns[: number - 1]:
            raise WavestepError(f"{path} has two columns {column!r}; rename one")
    if "file" not in columns:
        raise WavestepError(f"{path} has no column 'file'; it has: {', '.join(columns) or 'none'}")


def _value(given: str) -> str:
    """Without the blanks around it, or around the tags that `+` joins."""
    return "+".join(part for tag in given.split("+") if (part := tag.strip()))


def _from_folders(folder: Path) -> list[Recording]:
    """A speaker for every folder; recordings without one are of one speaker, and no condition."""
    recordings = []
    for speaker in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        recordings += _recordings(speaker, {"speaker": speaker.name})
    alone = _recordings(folder, {})
    if recordings and alone:
        raise WavestepError(
            f"{folder} has recordings of speakers ({recordings[0].path.parent.name}/) and, as "
            f"{alone[0].path.name}, of nobody; put them into a speaker's folder, or list all in "
            f"{METADATA}"
        )
    if not recordings and not alone:
        lacks = f"{folder} has no {METADATA}, no <speaker>/*.wav and no *.wav"
        raise WavestepError(f"{lacks}; {_instead(folder)}")
    return recordings or alone


def _instead(folder: Path) -> str:
    """What to do with what a folder has in place of recordings."""
    for path in itertools.islice(folder.rglob("*"), MOST_RECORDINGS):
        name, suffix = path.relative_to(folder), path.suffix.lower()
        if suffix in SUFFIXES:
            return f"{name} lies deeper: list such files in {METADATA}, or move them"
        if suffix in OTHER_SUFFIXES:
            return f"{name} is none of them: convert it, as ffmpeg does, to .wav or .flac"
    return "put recordings into it, or give another folder"


def _recordings(folder: Path, values: dict[str, str]) -> list[Recording]:
    """Those that lie in one folder."""
    audio = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    return [Recording(p, _split(i, len(audio)), dict(values)) for i, p in enumerate(audio)]


def _split(number: int, count: int) -> str:
    """Of file `number` out of `count`, from 0."""
    if count == 1:
        return UNSAID
    last_of_few = 0 < number == count - 1 < VALID_SHARE - 1
    return "valid" if number % VALID_SHARE == VALID_SHARE - 1 or last_of_few else "train"
