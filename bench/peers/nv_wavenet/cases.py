"""A program of driver.cu at work on its cases: what it prints, or how it ends."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import IO

_ENDING_S = 10.0
_NOT_TRIED = "not tried"

Lines = queue.SimpleQueue[str | None]
"""What a program prints, stderr too; None is its end."""


@dataclass
class Case:
    """So many streams at once, and what became of them."""

    streams: int
    a_block: int
    """Streams that share a thread block; they divide `streams`."""
    status: str = _NOT_TRIED
    """ok, refused, hung, failed: why; or not tried, after one that ended the program."""
    samples_per_second: float | None = None
    """Of each stream: the median of the runs."""
    samples: int = 0
    """Of a run."""
    seconds: list[float] = field(default_factory=list)
    """Of each run."""
    first: list[int] = field(default_factory=list)
    """Stream 0's first samples; of a program's first case only."""


def measure(command: Sequence[str], cases: Sequence[Case], seconds: float) -> None:
    """Run a program on cases, in one process, and enter what became of each.

    seconds: for a case. A process that takes longer is ended, and its other cases not tried.
    """
    words = [*command, *(f"{case.streams}:{case.a_block}" for case in cases)]
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    lines: Lines = queue.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(process.stdout, lines), daemon=True)
    listener.start()
    try:
        for case in cases:
            _follow(case, lines, time.monotonic() + seconds)
            if case.status not in ("ok", "refused"):
                break
    finally:
        # A driver may take long to let go of a kernel that hangs: not for ever.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.kill()
            process.wait(_ENDING_S)
        listener.join(1.0)


def _listen(pipe: IO[str], lines: Lines) -> None:
    with pipe:
        for line in pipe:
            lines.put(line.strip())
    lines.put(None)


def _follow(case: Case, lines: Lines, deadline: float) -> None:
    """Read on until the case is over. deadline: on time.monotonic's clock."""
    last = "it said nothing"
    while case.status == _NOT_TRIED:
        left = deadline - time.monotonic()
        if left <= 0:
            case.status = "hung"
            return
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            continue
        if line is None:
            case.status = f"failed: {last}"
            return
        match line.split():
            case ["first", *samples]:
                case.first = [int(sample) for sample in samples]
            case ["refused", _]:
                case.status = "refused"
            case ["timed", _, samples, *times]:
                case.samples, case.seconds = int(samples), [float(each) for each in times]
                case.samples_per_second = case.samples / median(case.seconds)
                case.status = "ok"
            case _:
                last = line or last
