"""stdin, stdout and stderr as a command finds them: closed, or in an encoding of few letters."""

from __future__ import annotations

import contextlib
import io
import os
import sys

CLOSED: set[int] = set()
"""Which of 0, 1 and 2 were closed when the command was started."""


def make_whole() -> None:
    """Put /dev/null where a standard stream is closed, and print what an encoding lacks as escapes.

    A file opened later would get the number of a closed one, and whatever a library prints there.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            CLOSED.add(number)
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def settle() -> None:
    """Write out what stdout and stderr still hold; where that cannot be, let it go.

    Python flushes them once more when it ends, and would end with 120 whatever was the matter.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, stream.fileno())
                os.close(null)
