"""A folder of recordings: which files, which conditions, which split."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wn_runtime.conditioning.spec import Condition
from wn_runtime.errors import WavestepError, unknown

METADATA = "metadata.csv"
SUFFIXES = (".wav", ".flac")
SPLITS = ("train", "valid")
VALID_SHARE = 20
"""Without a `split` column one file in this many is held back, and the last of fewer: of each
speaker's where folders are speakers, of all where metadata.csv says who speaks."""


@dataclass(frozen=True)
class Recording:
    """One audio file and what is said of it."""

    path: Path
    split: str
    """`train` or `valid`."""
    values: dict[str, str]
    """Condition name to value; empty where it is not given, `a+b` for tags."""


@dataclass(frozen=True)
class Corpus:
    """The recordings of a folder and the conditions that they name."""

    recordings: tuple[Recording, ...]
    conditions: tuple[Condition, ...]


def read(folder: Path, columns: Sequence[str] = ()) -> Corpus:
    """Read `metadata.csv`, or `<speaker>/*.wav` where there is none.

    columns: the conditions wanted; empty for all. Raises WavestepError that names the file, the
    line and the fault.
    """
    if not folder.is_dir():
        raise WavestepError(
            f"{folder} is not a folder; give one with {METADATA} or <speaker>/*.wav"
        )
    metadata = folder / METADATA
    rows = _from_csv(metadata) if metadata.exists() else _from_folders(folder)
    names = list(rows[0].values) if rows else []
    for column in columns:
        if column not in names:
            raise WavestepError(f"{metadata}: {unknown('column', column, names, 'it has')}")
    wanted = list(columns) or names
    recordings = [
        Recording(row.path, row.split, {name: row.values[name] for name in wanted}) for row in rows
    ]
    for split in SPLITS:
        if not any(recording.split == split for recording in recordings):
            raise WavestepError(
                f"{folder} has no recording in split {split!r}; add some, or name it in a column "
                f"split of {METADATA}"
            )
    return Corpus(tuple(recordings), tuple(_condition(name, recordings) for name in wanted))


def _condition(name: str, recordings: list[Recording]) -> Condition:
    given = [recording.values[name] for recording in recordings]
    kind = "tags" if any("+" in value for value in given) else "categorical"
    values = sorted({part for value in given for part in value.split("+") if part})
    if not values:
        raise WavestepError(f"condition {name!r} has no value in any recording; leave it out")
    return Condition(name, kind, tuple(values))


def _from_csv(path: Path) -> list[Recording]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or [])
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WavestepError(f"{path} cannot be read as CSV: {error}") from error
    if "file" not in columns:
        raise WavestepError(f"{path} has no column 'file'; it has: {', '.join(columns) or 'none'}")
    conditions = [column for column in columns if column not in ("file", "split")]
    recordings = []
    for number, row in enumerate(rows, start=2):
        if None in row or any(row[column] is None for column in columns):
            raise WavestepError(f"{path}, line {number}: expected {len(columns)} columns")
        split = row.get("split") or _split(number - 2, len(rows))
        if split not in SPLITS:
            raise WavestepError(f"{path}, line {number}: {unknown('split', split, SPLITS)}")
        values = {name: row[name].strip() for name in conditions}
        recordings.append(Recording(path.parent / row["file"], split, values))
    if not recordings:
        raise WavestepError(f"{path} lists no files")
    return recordings


def _from_folders(folder: Path) -> list[Recording]:
    recordings = []
    for speaker in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        files = sorted(p for p in speaker.iterdir() if p.suffix.lower() in SUFFIXES)
        for number, path in enumerate(files):
            recordings.append(
                Recording(path, _split(number, len(files)), {"speaker": speaker.name})
            )
    if not recordings:
        raise WavestepError(f"{folder} has neither {METADATA} nor <speaker>/*.wav")
    return recordings


def _split(number: int, count: int) -> str:
    """Of file `number` out of `count`, from 0."""
    last_of_few = 0 < number == count - 1 < VALID_SHARE - 1
    return "valid" if number % VALID_SHARE == VALID_SHARE - 1 or last_of_few else "train"
