"""What another program says, when it may say nothing, too much or never end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from wn_runtime.isolated import NEUTRAL
from wn_runtime.system import pipes

MOST_BYTES = 1 << 16
"""Of what it says, that are read."""
_TIDYING_S = 1.0


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a neutral directory; at the end it is killed, with whatever it has started.

    Raises OSError where it cannot be started.
    """
    with subprocess.Popen(
        command,
        cwd=NEUTRAL,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":  # where no signal asks, and nobody has a group to be killed with
        process.kill()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):  # first so that it can tidy up
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(_TIDYING_S)


def read(pipe: IO[bytes], count: int, deadline: float) -> bytes:
    """At most so many bytes of a pipe, fewer where it ends; what there is by the deadline.

    deadline: on time.monotonic's clock.
    """
    found = b""
    while len(found) < count:
        left = deadline - time.monotonic()
        if left <= 0 or not pipes.readable(pipe.fileno(), left):
            break
        part = os.read(pipe.fileno(), count - len(found))
        if not part:
            break
        found += part
    return found


def answer(command: Sequence[str], seconds: float) -> str:
    """The start of what it prints within so many seconds; nothing where it fails."""
    deadline = time.monotonic() + seconds
    try:
        with started(command) as process:
            assert process.stdout is not None
            said = read(process.stdout, MOST_BYTES, deadline)
            process.stdout.close()  # it may have more to say
            code = process.wait(max(0.0, deadline - time.monotonic()))
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.decode("utf-8", "replace") if code == 0 else ""
