"""The rate of a folder whose files have several: one rule for whoever reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from wn_runtime.text import counted
from wn_train.data import resampling
from wn_train.data.decoding import Header


def most_common(headers: Mapping[Path, Header]) -> int:
    """Hz that most files have; of as many the rate that comes first."""
    return _counted(headers).most_common(1)[0][0]


def tell(headers: Mapping[Path, Header], rate: int, say: Callable[[str], None]) -> None:
    """Say how many files are of another rate than this (Hz), a line for each.

    Raises WavestepError where they cannot be resampled: before one is read, not of each.
    """
    for other, count in sorted(_counted(headers).items()):
        if other != rate:
            resampling.needed(other, rate)
            say(f"{counted(count, 'file')} of {other} Hz: resampled to {rate} Hz")


def _counted(headers: Mapping[Path, Header]) -> Counter[int]:
    return Counter(header.rate for header in headers.values())
