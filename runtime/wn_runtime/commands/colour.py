"""Colour for verdicts and for how a line begins: on terminals, and where nobody has said NO_COLOR.

https://no-color.org: set and not empty, it means none, whatever it is set to.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

import click

_STYLES: dict[str, dict[str, Any]] = {
    "error:": {"fg": "red", "bold": True},
    "warning:": {"fg": "yellow", "bold": True},
    "note:": {"fg": "yellow"},
    "verbose:": {"fg": "bright_black"},
    "next": {"fg": "cyan", "bold": True},
    "PASS": {"fg": "green"},
    "FAIL": {"fg": "red", "bold": True},
}
_BEGINS = re.compile(r"^(error:|warning:|note:|verbose:|next(?= ))")
_VERDICT = re.compile(r"(?<!\S)(PASS|FAIL)(?=\s|$)")


def shown(err: bool) -> bool:
    """Whether stdout (or stderr) is a terminal that is to have colours."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    stream = sys.stderr if err else sys.stdout
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # closed, or in a test's hands
        return False


def painted(line: str) -> str:
    """A line with its first word and its verdict in colour."""
    line = _VERDICT.sub(_paint, line)
    return _BEGINS.sub(_paint, line)


def _paint(found: re.Match[str]) -> str:
    return click.style(found[0], **_STYLES[found[0]])
