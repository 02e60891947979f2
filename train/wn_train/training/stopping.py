"""Requests to stop: the first Ctrl-C, SIGTERM or SIGHUP is remembered, a second one acts at once.

Between two steps is the place to stop, and between two files while there are none: raised wherever
Python happens to be, an interruption may come in another library's clean-up, which prints it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wn_runtime.commands.command import Stopped
from wn_runtime.interrupts import NUMBERS, Answered


class Stop:
    """Whether somebody has asked."""

    def __init__(self) -> None:
        self.number: int | None = None
        """The signal that did."""

    @property
    def asked(self) -> bool:
        """Whether this process was asked; of several that train together another may be."""
        return self.number is not None

    @property
    def interruption(self) -> Stopped:
        """What ends a command: nothing is there to be saved."""
        return Stopped(signal.SIGTERM if self.number is None else self.number)

    def check(self) -> None:
        """Raise the interruption where somebody has asked."""
        if self.asked:
            raise self.interruption


@contextmanager
def stop_requests() -> Iterator[Stop]:
    """Remember them within the block. Signals that are ignored, as under nohup, stay so."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():  # signals are another's business
        yield stop
        return
    handlers = {number: signal.getsignal(number) for number in NUMBERS}
    before = {
        n: handler for n, handler in handlers.items() if handler not in (signal.SIG_IGN, None)
    }

    def remember(number: int, _frame: object) -> None:
        Answered.now()
        stop.number = number
        signal.signal(number, before[signal.Signals(number)])

    # A step may take minutes in which Python answers no signal; no watchdog is to end it for that.
    wakeup = signal.set_wakeup_fd(-1)
    try:
        for number in before:
            signal.signal(number, remember)
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
