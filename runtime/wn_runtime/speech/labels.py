"""Phones with their times, and the label files of HTS that hold them.

A line is `start end label`, the times in units of 100 ns:

    0 1200000 sil
    1200000 2050000 s                     or the full context, x^sil-s+eh=v@...: the phone
    2050000 3100000 eh                    stands between - and +

From the first line, at 0, to the last one's end no time may be left out or counted twice.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wn_runtime import files
from wn_runtime.errors import WavestepError

SILENCE = "sil"
"""The phone of a pause. Other tools' names for it are read as this one."""
TICKS = 10_000_000
"""Units of a label file in a second."""
MOST_BYTES = 16 * 2**20
MOST_SECONDS = 24 * 3600
MOST_LINES = 200_000
"""Hours of speech; so many are read in a second or two."""
_SILENCES = ("sil", "pau", "sp", "h#", "#")
_LONGEST_PHONE = 16
_TIME = re.compile(r"\d{1,15}")
_STATE = re.compile(r"(.+)\[(\d{1,2})\]")
_WANTED = "a line is `start end phone`, in units of 100 ns"


@dataclass(frozen=True)
class Segment:
    """One phone of a recording."""

    phone: str
    start: float
    """Seconds."""
    end: float
    """Seconds; the next one's start."""

    def __post_init__(self) -> None:
        if not self.phone or not self.phone.isprintable() or " " in self.phone:
            raise ValueError(f"phone {self.phone!r:.40} is no name: empty, or with blanks in it")
        if len(self.phone) > _LONGEST_PHONE:
            raise ValueError(f"phone {self.phone!r:.40} is longer than {_LONGEST_PHONE} characters")
        if not (math.isfinite(self.start) and math.isfinite(self.end)):
            raise ValueError(f"{self.phone} lasts from {self.start} to {self.end} s")
        if not 0 <= self.start < self.end <= MOST_SECONDS:
            raise ValueError(
                f"{self.phone} lasts from {self.start:g} to {self.end:g} s; times rise from 0 to "
                f"{MOST_SECONDS}"
            )

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.start


def read(path: Path) -> tuple[Segment, ...]:
    """The segments of a label file. Raises WavestepError that names file, line and fault."""
    try:
        text = files.read_text(path, MOST_BYTES)
    except FileNotFoundError as error:
        raise WavestepError(f"{path} does not exist; give a label file") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise WavestepError(f"{path} cannot be read as labels: {reason}") from error
    return parse(text, str(path))


def parse(text: str, where: str) -> tuple[Segment, ...]:
    """The segments of a label file's text, in order and without gaps, from 0 on.

    Lines for each state of a phone (`label[2]`, `label[3]`, …) are joined. `where` names the source
    in messages. Raises WavestepError.
    """
    segments: list[Segment] = []
    before = ("", 0)
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise WavestepError(f"{where} has over {MOST_LINES} lines; split its recording")
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        if not fields:
            continue
        here = f"{where}, line {number}"
        start, end = _times(fields, here)
        label, state = _state(fields[2])
        last = segments[-1].end if segments else 0.0
        _check_joined(start, last, here)
        try:
            segment = Segment(_phone(label), start, end)
        except ValueError as error:
            raise WavestepError(f"{here}: {error}") from error
        if state and before[0] == label and state > before[1]:
            segment = Segment(segment.phone, segments.pop().start, end)
        segments.append(segment)
        before = (label, state)
    if not segments:
        raise WavestepError(f"{where} is empty; {_WANTED}")
    return tuple(segments)


def written(segments: Sequence[Segment]) -> str:
    """The text of a label file, phones alone. Raises ValueError for segments that do not join."""
    for one, other in itertools.pairwise(segments):
        if one.end != other.start:
            raise ValueError(f"{one.phone} ends at {one.end} s, the next begins at {other.start}")
    lines = (f"{_ticks(s.start)} {_ticks(s.end)} {s.phone}\n" for s in segments)
    return "".join(lines)


def _ticks(seconds: float) -> int:
    return round(seconds * TICKS)


def _times(fields: list[str], here: str) -> tuple[float, float]:
    if len(fields) == 1 or not any(field[0].isdigit() for field in fields[:2]):
        raise WavestepError(
            f"{here}: {' '.join(fields)!r:.60} has no times; {_WANTED}, as an aligner makes it"
        )
    if len(fields) < 3:
        raise WavestepError(f"{here}: {' '.join(fields)!r:.60} has no phone; {_WANTED}")
    for field in fields[:2]:
        if not _TIME.fullmatch(field):
            raise WavestepError(f"{here}: {field!r:.40} is no whole number of 100 ns; {_WANTED}")
    return int(fields[0]) / TICKS, int(fields[1]) / TICKS


def _check_joined(start: float, last: float, here: str) -> None:
    if start > last:
        mend = f"{_ticks(last)} {_ticks(start)} {SILENCE}"
        raise WavestepError(
            f"{here}: a gap from {last:g} to {start:g} s; say what is there, such as `{mend}`"
        )
    if start < last:
        raise WavestepError(
            f"{here}: it begins at {start:g} s, before the last phone's end at {last:g} s; let it "
            f"begin at {_ticks(last)}"
        )


def _state(label: str) -> tuple[str, int]:
    """A label without the number of a state, and that; 0 where there is none."""
    found = _STATE.fullmatch(label)
    return (found[1], int(found[2])) if found else (label, 0)


def _phone(label: str) -> str:
    """Of a phone alone, between its neighbours, or in its full context."""
    phone = label.split("-", 1)[-1].split("+", 1)[0]
    return SILENCE if phone.lower() in _SILENCES else phone
