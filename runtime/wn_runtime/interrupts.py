"""Ctrl-C and its like, held back while something is changed that must stay of one piece.

Python runs signal handlers in the main thread, between any two of its instructions: without this
an interruption could come after an engine has moved on and before its stream knows.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

WORDS = {
    getattr(signal, name): word
    for name, word in (
        ("SIGINT", "interrupted"),
        ("SIGTERM", "terminated"),
        ("SIGHUP", "hung up"),
        ("SIGBREAK", "interrupted"),  # Ctrl-Break, of Windows alone, which has no SIGHUP
    )
    if hasattr(signal, name)
}
"""The signals that ask a program to end, and what is said of one that was."""
NUMBERS = tuple(WORDS)


class Answered:
    """When a signal last reached Python, for who waits for that (commands.watchdog)."""

    at = -math.inf
    """On the monotonic clock, seconds."""

    @classmethod
    def now(cls) -> None:
        """To be called by every handler."""
        cls.at = time.monotonic()


class Held:
    """A `with` block within which no interruption is raised; one that comes is raised after it.

    Only handlers of Python are held back: a signal that ends the process does so. In another than
    the main thread, where none is raised, nothing is done. May be nested.

    Around imports of large libraries, too: raised in the middle of one, an interruption is lost in
    C++ code that takes any exception for "not installed".
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        """The signals that came, oldest first: whoever works long in the block looks here."""
        self._before: list[tuple[int, Any]] = []

    def __enter__(self) -> Held:
        if threading.current_thread() is threading.main_thread():
            for number in NUMBERS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._before.append((number, handler))
                    signal.signal(number, self._remember)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        before, self._before = dict(self._before), []
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in self.received:
            before[number](number, None)

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        Answered.now()
        self.received.append(number)
