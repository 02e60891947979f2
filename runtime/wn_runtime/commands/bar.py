"""A progress bar on stderr that never comes at the price of the work."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

from wn_runtime.commands import say


class Bar(tqdm):  # type: ignore[type-arg]  # no parameters at run time
    """tqdm's, without its thread, and on a stderr that may be gone, closed or full.

    Shown on a terminal only, and not with -q, unless `disable` says otherwise.
    """

    # A bar that gets no updates is not worth a thread, whose start hangs without memory for it.
    monitor_interval = 0

    def __init__(self, **settings: Any) -> None:
        disable = True if say.volume == say.QUIET else None
        super().__init__(**{"disable": disable, "leave": False, "file": _Stderr(), **settings})

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """The time within the block counts neither for the rate nor for the time left."""
        began = time.time()  # tqdm's clock
        try:
            yield
        finally:
            if not self.disable:
                gone = time.time() - began
                self.start_t += gone
                self.last_print_t += gone


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
