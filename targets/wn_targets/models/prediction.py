"""What a model of a device says: a prediction, never a measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """One engine and precision on one target."""

    engine: str
    """`native`, `cuda`, `onnx` or `tensorrt`."""
    precision: str
    terms: Mapping[str, float]
    """Microseconds of one step by what they are spent on; they add up to the step."""
    memory_mb: float
    """MB the engine needs while it runs, its libraries among them."""
    free_mb: float = math.inf
    """MB that the target has free; infinite where nobody knows."""
    streams: int = 1
    """Streams generated side by side."""
    how: str = ""
    """The schedule, of an engine that has several."""

    @property
    def fits(self) -> bool:
        """Whether the target has that much memory free."""
        return self.memory_mb <= self.free_mb

    @property
    def us_per_step(self) -> float:
        """Microseconds for one sample of every stream."""
        return sum(self.terms.values())

    @property
    def samples_per_second(self) -> float:
        """Samples per second of each stream."""
        return 1e6 / self.us_per_step

    @property
    def limited_by(self) -> str:
        """The largest term: what a faster device would have to do better."""
        return max(self.terms, key=lambda term: self.terms[term])
