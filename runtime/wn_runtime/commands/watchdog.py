"""Ends a command whose signal has no effect, because its main thread never comes back to Python.

Python's handlers run between its instructions, so a call into another library that does not return
(a graph made never to end, a driver that hangs) would ignore Ctrl-C for ever. The signal's number
is written to a pipe all the same, the moment it comes; a thread waits there.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wn_runtime.interrupts import NUMBERS, Answered

PATIENCE_S = 5.0
"""Seconds that Python has to answer a signal."""
_QUICKER_S = 0.5
_ROOM = 32 << 20
"""Bytes that must be to be had (not used) for a thread: its stack and some."""


@contextmanager
def watching(give_up: Callable[[int], None]) -> Iterator[None]:
    """Within the block `give_up(number)` is called, in a thread, for a signal without an answer.

    In the main thread only. It is to end the process.
    """
    read, write = os.pipe()
    if sys.platform != "win32":  # which takes any pipe for its wake-ups
        os.set_blocking(write, False)
    try:
        # A thread without memory for its first call is lost, with a trace on stderr; and
        # threading.Thread's start would wait for its first sign of life for ever.
        bytearray(_ROOM)
        _thread.start_new_thread(_watch, (read, give_up))
    except (RuntimeError, MemoryError):  # no thread is to be had: then nobody watches
        os.close(read)
        os.close(write)
        yield
        return
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(write)  # which the thread reads as the end


def _watch(pipe: int, give_up: Callable[[int], None]) -> None:
    try:
        while numbers := os.read(pipe, 16):
            came = time.monotonic()
            for number in numbers:
                if number in NUMBERS and not _answered(came):
                    give_up(number)
    finally:
        os.close(pipe)


def _answered(came: float) -> bool:
    """Whether Python's handler runs within the time it has, or just ran: it may be the quicker."""
    while time.monotonic() < came + PATIENCE_S:
        if Answered.at > came - _QUICKER_S:
            return True
        time.sleep(0.05)
    return False
