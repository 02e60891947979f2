"""Times that somebody means, as click's type."""

from __future__ import annotations

import math

import click

MOST_SECONDS = 3600.0


def some_seconds(text: str | float) -> float:
    """Over 0, and up to an hour; NaN is neither."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= MOST_SECONDS:
        raise click.BadParameter(f"{str(text)[:40]!r} is not over 0 and at most {MOST_SECONDS:g}")
    return seconds
