"""What commands print: every line of text from elsewhere passes through here, escaped."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from wn_runtime.commands import colour, next_step
from wn_runtime.errors import WavestepError
from wn_runtime.text import printable

QUIET, NORMAL, VERBOSE = 0, 1, 2
volume = NORMAL
"""How much this command is to say: -q, neither, -v."""


class OutputRefused(WavestepError):
    """Nothing more can be printed; not what a disk that is full raises."""


def line(text: str, err: bool = False) -> None:
    """Print one line, whatever is in the names in it; what to do next not with -q.

    Raises OutputRefused where stdout takes nothing; where stderr does not, there is nobody to tell.
    """
    if volume == QUIET and text.startswith(next_step.BEGIN):
        return
    shown = printable(text)
    try:
        if colour.shown(err):
            click.echo(colour.painted(shown), err=err, color=True)
        else:
            click.echo(shown, err=err)
    except BrokenPipeError:
        if not err:
            raise
    except OSError as error:
        if not err:
            raise refused(error) from error


def flush() -> None:
    """Write out what stdout still holds. Raises BrokenPipeError, and OutputRefused as `line`."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise refused(error) from error


def refused(error: OSError) -> OutputRefused:
    """What stdout answers where it takes nothing."""
    return OutputRefused(f"stdout cannot be written: {error.strerror or error}")


def note(text: str) -> None:
    """Print a line to stderr that says what is worth knowing; nothing with -q."""
    if volume > QUIET:
        line(f"note: {text}", err=True)


def table(text: str, err: bool = False) -> None:
    """Print lines that `commands.table.aligned` made: it has escaped the cells."""
    for each in text.split("\n"):
        line(each, err)


def as_json(data: Any) -> None:
    """Print JSON; what is not ASCII is escaped in it."""
    for each in json.dumps(data, indent=1, allow_nan=False).split("\n"):
        line(each)
