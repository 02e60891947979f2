"""How fast a run trains: steps and samples a second, without the time that is no training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_KEPT = 0.95
"""Of what was counted before, at each step: the last twenty steps or so decide."""


class Pace:
    """Counted from its making on; both rates are 0 before the first step."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds."""
        self._clock, self._since = clock, clock()
        self._seconds = self._steps = self._samples = 0.0

    def step(self, samples: int) -> None:
        """A step is done; samples: those that its loss counted, in all processes."""
        now = self._clock()
        self._seconds = _KEPT * self._seconds + now - self._since
        self._steps = _KEPT * self._steps + 1
        self._samples = _KEPT * self._samples + samples
        self._since = now

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The time within the block does not count."""
        began = self._clock()
        try:
            yield
        finally:
            self._since += self._clock() - began

    @property
    def steps_per_second(self) -> float:
        """Optimiser steps."""
        return self._steps / self._seconds if self._seconds else 0.0

    @property
    def samples_per_second(self) -> float:
        """Samples in the loss."""
        return self._samples / self._seconds if self._seconds else 0.0
