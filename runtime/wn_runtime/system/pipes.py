"""Waiting for a pipe with a limit to it."""

from __future__ import annotations

import math
import select
import sys
import time

_LOOK_S = 0.005
"""Between looks, where the system can only be asked whether something has come."""


def readable(descriptor: int, seconds: float | None = None) -> bool:
    """Whether os.read would find something, or the end, within so many seconds; None: no limit.

    Windows waits for sockets alone: there the pipe is looked at again and again.
    """
    if seconds is not None and seconds < 0:
        return False
    if sys.platform != "win32":  # not select(), which takes no descriptor from 1024 on
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        return bool(waiting.poll(None if seconds is None else math.ceil(1000 * seconds)))
    import _winapi
    import msvcrt

    end = None if seconds is None else time.monotonic() + seconds
    while True:
        try:
            if _winapi.PeekNamedPipe(msvcrt.get_osfhandle(descriptor), 0)[0]:
                return True
        except OSError:  # its other end is closed, or it is no pipe: a read will tell
            return True
        if end is not None and time.monotonic() >= end:
            return False
        time.sleep(_LOOK_S)
