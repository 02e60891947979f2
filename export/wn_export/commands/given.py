"""What a user may give these commands, as click's types: paths, and times that somebody means."""

from __future__ import annotations

import math
from pathlib import Path

import click

MOST_SECONDS = 3600.0


def a_path(text: str) -> Path:
    """A path that is one: `""`, a variable that was not set, is not the working directory."""
    if not text:
        raise click.BadParameter("it is empty; name a file or a directory")
    return Path(text)


def some_seconds(text: str | float) -> float:
    """Over 0, and up to an hour; NaN is neither."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= MOST_SECONDS:
        raise click.BadParameter(f"{str(text)[:40]!r} is not over 0 and at most {MOST_SECONDS:g}")
    return seconds
