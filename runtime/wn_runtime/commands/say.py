"""What commands print: every line of text from elsewhere passes through here, escaped."""

from __future__ import annotations

import json
from typing import Any

import click

from wn_runtime.text import printable


def line(text: str, err: bool = False) -> None:
    """Print one line, whatever is in the names in it."""
    click.echo(printable(text), err=err)


def note(text: str) -> None:
    """Print a line to stderr that says what is worth knowing."""
    line(f"note: {text}", err=True)


def table(text: str, err: bool = False) -> None:
    """Print lines that `commands.table.aligned` made: it has escaped the cells."""
    for each in text.split("\n"):
        line(each, err)


def as_json(data: Any) -> None:
    """Print JSON; what is not ASCII is escaped in it."""
    click.echo(json.dumps(data, indent=1))
