"""Rows of text in aligned columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wn_runtime.text import printable


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Rows as lines, each column as wide as its widest cell; columns in `right` flush right.

    Control characters in a cell are escaped: it takes one line and moves nothing.

    >>> print(aligned([["engine", "µs"], ["native", "8.5"]], right=[1]))
    engine   µs
    native  8.5
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def titled(sections: Iterable[tuple[str, Iterable[str]]]) -> list[list[str]]:
    """Rows of a table: a title, and its lines under one another; nothing for one without lines."""
    return [
        [title if i == 0 else "", line]
        for title, lines in sections
        for i, line in enumerate(line for line in lines if line)
    ]
