"""Another program, run to its end: however long it would take and however much it would say."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from wn_runtime.system import pipes

MOST_SAID = 1 << 16
"""Bytes that are listened to; who says more is stopped."""
STOPPED, NOT_STARTED = 124, 127
"""Exit statuses of one that was stopped, and of one that could not be started."""


def command_words(command: str) -> tuple[str, ...]:
    """A compiler's command as a shell would split it; none for a quote that is not closed."""
    try:
        if sys.platform == "win32":  # a backslash is of a path there
            words = tuple(w.strip('"') for w in shlex.split(command, posix=False))
        else:
            words = tuple(shlex.split(command))
    except ValueError:
        return ()
    return words if words and words[0] else ()


def run(
    command: Sequence[str], seconds: float, environment: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    """The exit status of a program, and the lines that it says on either stream, blank ones not.

    What $CC names may be anything: one that takes longer, or that says more than MOST_SAID bytes,
    is stopped. environment: to start it in; None: this process's.
    """
    end, said = time.monotonic() + seconds, b""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            env=environment,
        )
    except (OSError, ValueError) as error:
        return NOT_STARTED, [f"error: {error}"]
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    status: int | None = None
    try:
        while len(said) <= MOST_SAID and pipes.readable(pipe, end - time.monotonic()):
            chunk = os.read(pipe, MOST_SAID)
            if not chunk:
                status = process.wait(max(0.0, end - time.monotonic()))
                break
            said += chunk
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    lines = said[:MOST_SAID].decode("utf-8", "replace").splitlines()
    shown = [line.strip()[:300] for line in lines if line.strip()]
    if status is None:
        return STOPPED, [f"error: stopped after {seconds:g} s or {MOST_SAID} bytes of output"]
    return status, shown
