"""What a run says while it goes on: to stderr, and never at the price of the run.

The terminal may be gone, the pipe closed or the log's disk full: training goes on without.
"""

from __future__ import annotations

import contextlib

from wn_runtime.commands import say


def line(text: str) -> None:
    """A line to stderr, if it takes one."""
    with contextlib.suppress(OSError, ValueError):
        say.line(text, err=True)
