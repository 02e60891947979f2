"""Randomness as an input, and inverse-CDF sampling on softmax(logits / temperature)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Draw = Callable[[NDArray[np.float32], NDArray[Any]], None]
"""uniforms (B,) -> classes (B,), in place."""
_PER_COUNTER = 4  # Philox4x64 gives four 64-bit words for each value of its counter


class Uniforms:
    """The uniforms in [0, 1) of B streams: stream b's t-th is a function of (seed, b, t) only.

    So the same seed gives the same audio whatever the block size, and a stream can be resumed
    at any position. (Philox4x64-10: Salmon et al., "Parallel random numbers", 2011.)
    """

    def __init__(self, seed: int, streams: int, first_stream: int = 0) -> None:
        self.seed = seed
        self.first_stream = first_stream
        self._position = 0
        self._streams = streams
        self.seek(0)

    @property
    def position(self) -> int:
        """Uniforms drawn so far from each stream."""
        return self._position

    def seek(self, position: int) -> None:
        """Make `position` the index of the next uniform."""
        self._bits = []
        for stream in range(self.first_stream, self.first_stream + self._streams):
            key = np.array([self.seed & (2**64 - 1), stream], np.uint64)
            bits = np.random.Philox(key=key)
            bits.advance(position // _PER_COUNTER)
            bits.random_raw(position % _PER_COUNTER)
            self._bits.append(bits)
        self._position = position

    def draw(self, steps: int) -> NDArray[np.float32]:
        """The next `steps` uniforms of every stream, (steps, B) float32."""
        self._position += steps
        raw = np.stack([bits.random_raw(steps) for bits in self._bits], axis=1)
        return ((raw >> np.uint64(40)) * np.float32(2**-24)).astype(np.float32)


class CategoricalSampler:
    """Draws classes for B streams without allocating: logits and uniforms to (B,) int32.

    The class is the first whose cumulative sum of exp((logit - max) / temperature), summed in
    float32 in class order, exceeds uniform * total. Temperature 0 is argmax (lowest class wins).
    """

    def __init__(self, streams: int, classes: int, temperature: float) -> None:
        self._scaled = np.empty((streams, classes), np.float32)
        self._total = self._scaled[:, -1]  # of the cumulative sums
        self._max = np.empty((streams, 1), np.float32)
        self._threshold = np.empty((streams, 1), np.float32)
        self._above = np.empty((streams, classes), np.bool_)
        self._class = np.empty(streams, np.int64)
        self._inverse_temperature = np.float32(0 if temperature == 0 else 1 / temperature)

    def __call__(
        self, logits: NDArray[np.float32], uniforms: NDArray[np.float32], out: NDArray[Any]
    ) -> None:
        """logits (B, A), uniforms (B,) -> out (B,) integer, in place."""
        if self._inverse_temperature == 0:
            logits.argmax(axis=1, out=self._class)
            out[:] = self._class
            return
        np.maximum.reduce(logits, axis=1, keepdims=True, out=self._max)
        np.subtract(logits, self._max, out=self._scaled)
        if self._inverse_temperature != 1:
            np.multiply(self._scaled, self._inverse_temperature, out=self._scaled)
        np.exp(self._scaled, out=self._scaled)
        np.add.accumulate(self._scaled, axis=1, out=self._scaled)  # float32, in class order
        np.multiply(uniforms, self._total, out=self._threshold[:, 0])
        np.greater(self._scaled, self._threshold, out=self._above)
        # No class is above when rounding lets u * total reach the total: then take the last.
        self._above[:, -1] = True
        self._above.argmax(axis=1, out=self._class)
        out[:] = self._class


def sampler_of(logits: NDArray[np.float32], temperature: float) -> Draw:
    """CategoricalSampler bound to the memory (B, A) where logits will be: the same draws, sooner.

    Between two steps of a network numpy's code has left the caches, so for one stream, where the
    draw is most of what comes on top of the network, every call and look-up is worth saving.
    """
    streams, classes = logits.shape
    if streams > 1 or temperature == 0:
        sampler = CategoricalSampler(streams, classes, temperature)
        return lambda uniforms, out: sampler(logits, uniforms, out)
    (row,) = logits
    scaled, threshold = np.empty(classes, np.float32), np.empty(1, np.float32)
    total = scaled[-1:]
    # Not past the last class, which is drawn too when rounding lets u * total reach the total.
    likeliest, first_above = row.argmax, scaled[:-1].searchsorted
    subtract, multiply, exp, accumulate = np.subtract, np.multiply, np.exp, np.add.accumulate
    inverse, scales = np.float32(1 / temperature), temperature != 1

    def draw(uniforms: NDArray[np.float32], out: NDArray[Any]) -> None:
        subtract(row, row[likeliest()], scaled)
        if scales:
            multiply(scaled, inverse, scaled)
        exp(scaled, scaled)
        accumulate(scaled, 0, None, scaled)  # float32, in class order
        multiply(uniforms, total, threshold)
        out[:] = first_above(threshold, "right")

    return draw
