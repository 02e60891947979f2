"""What a run says while it goes on: to stderr, and never at the price of the run.

The terminal may be gone, the pipe closed or the log's disk full: training goes on without.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from tqdm import tqdm

from wn_runtime.commands import say


def line(text: str) -> None:
    """A line to stderr, if it takes one."""
    with contextlib.suppress(OSError, ValueError):
        say.line(text, err=True)


def bar(shown: bool, **settings: Any) -> tqdm[Any]:
    """A progress bar, where stderr is a terminal."""
    return tqdm(disable=None if shown else True, file=_Stderr(), **settings)


class _Stderr:
    """stderr as tqdm writes to it."""

    @property
    def encoding(self) -> str:
        return getattr(sys.stderr, "encoding", "ascii")

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()

    def fileno(self) -> int:
        return sys.stderr.fileno()
