"""How fast audio is made: the clock of a run, and a bar with the time left on a terminal."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.commands import say

_IMPORTED = time.monotonic()


class Clock:
    """Times the making of blocks, not what is done with them."""

    def __init__(self, sample_rate: int, voices: int) -> None:
        self._rate, self._voices = sample_rate, voices
        self.samples = 0
        """Made so far by each voice."""
        self._making = 0.0
        self._first: float | None = None

    def timed(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """The blocks (n, B) as they come."""
        started = time.perf_counter()
        for block in blocks:
            self._making += time.perf_counter() - started
            self.samples += len(block)
            if self._first is None:
                self._first = seconds_since_start()
            yield block
            started = time.perf_counter()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Time within the making of a block in which what it is made of has not come yet."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._making -= time.perf_counter() - started

    def report(self, compiling: float = 0.0) -> str:
        """`8 kHz · 2.00 s in 1.40 s · 1.4× real time · first audio 214 ms`.

        compiling: the seconds of it, where code had to be compiled before the first audio:
        `first audio 3114 ms, 2900 of it compiling, once`.
        """
        seconds = self.samples / self._rate
        made = f"{self._voices} × {seconds:.2f} s" if self._voices > 1 else f"{seconds:.2f} s"
        factor = self._voices * seconds / self._making if self._making else math.inf
        first = "" if self._first is None else f" · first audio {self._first * 1000:.0f} ms"
        if first and compiling:
            first += f", {compiling * 1000:.0f} of it compiling, once"
        return (
            f"{self._rate / 1000:g} kHz · {made} in {self._making:.2f} s · "
            f"{factor:.1f}× real time{first}"
        )


def seconds_since_start() -> float:
    """Since this process was started, as its user waits; where /proc is, to 10 ms."""
    try:
        after_name = Path("/proc/self/stat").read_text().rpartition(")")[2]
        started = int(after_name.split()[19]) / os.sysconf("SC_CLK_TCK")  # field 22, proc(5)
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, AttributeError):
        return time.monotonic() - _IMPORTED


@contextmanager
def progress(samples: int | None, sample_rate: int) -> Iterator[Callable[[int], object]]:
    """A bar on stderr when that is a terminal and the work lasts; yields its advance in samples.

    samples: to be made; None: nobody knows.
    """
    if not sys.stderr.isatty() or say.volume == say.QUIET:
        yield lambda _samples: None
        return
    from wn_runtime.commands.bar import Bar

    class Seconds(Bar):
        """Counts samples, which add up exactly, and shows seconds."""

        @property
        def format_dict(self) -> dict[str, Any]:
            values = dict(super().format_dict)
            made = values["n"] / sample_rate
            return {**values, "made": made, "all": (values["total"] or 0) / sample_rate}

    known = "{percentage:3.0f}% |{bar}| {made:.1f} of {all:.1f} s, {remaining} left"
    layout = "{made:.1f} s in {elapsed}" if samples is None else known
    with Seconds(total=samples, delay=1, bar_format=layout) as bar:
        yield bar.update
