"""The commands in a page of documentation, as they stand there to be typed."""

from __future__ import annotations

import re
from collections.abc import Iterator


def code(text: str) -> Iterator[str]:
    """The lines of its code, indented or between fences; a line that goes on is one."""
    fenced = False
    for line in text.replace("\\\n", " ").splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip().removeprefix("$ ")


def lines(text: str, starts: str | tuple[str, ...]) -> list[str]:
    """Each command line that begins so, without its comment."""
    found = [line for line in code(text) if line.startswith(starts)]
    return [re.split(r"\s{3,}|\s+#\s", line)[0] for line in found]


def commands(text: str, start: str) -> list[str]:
    """Each command line that begins so, without its comment and what it is piped into."""
    return [line.split(" | ")[0] for line in lines(text, start)]
