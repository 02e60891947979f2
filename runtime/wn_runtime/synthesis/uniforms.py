"""Randomness as an input: integers of 24 bits, a function of seed, stream and position only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wn_runtime.arguments import integer
from wn_runtime.heads.head import UNIFORM_BITS

_PER_COUNTER = 4  # Philox4x64 gives four 64-bit words for each value of its counter


class UniformStream:
    """The uniforms of one stream: its i-th is a function of (seed, stream, i) only.

    So the same seed gives the same audio whatever the block size, and a stream can be resumed
    at any position. (Philox4x64-10: Salmon et al., "Parallel random numbers", 2011.)
    """

    def __init__(self, seed: int, stream: int = 0, position: int = 0) -> None:
        """Raises TypeError for what is no integer, WavestepError for a seed beyond 64 bits."""
        self.seed = seed = integer("seed", seed, -(2**63), 2**64 - 1)
        self.stream = integer("stream", stream, 0, 2**63)
        self.position = position = integer("position", position, 0, 2**63)
        """The uniforms drawn so far."""
        key = np.array([seed & (2**64 - 1), stream], np.uint64)
        self._bits = np.random.Philox(key=key)
        self._bits.advance(position // _PER_COUNTER)
        self._bits.random_raw(position % _PER_COUNTER)

    def draw(self, count: int) -> NDArray[np.int32]:
        """The next `count`, (count,) in [0, 2^24)."""
        self.position += count
        raw: NDArray[np.uint64] = self._bits.random_raw(count)
        return (raw >> np.uint64(64 - UNIFORM_BITS)).astype(np.int32)


def draw(streams: Sequence[UniformStream], steps: int, each: int) -> NDArray[np.int32]:
    """The uniforms of the next `steps` samples of B streams, `each` a sample: (steps, B, U)."""
    return np.stack([stream.draw(steps * each).reshape(steps, each) for stream in streams], axis=1)


def uniforms(seed: int, streams: int, steps: int, each: int = 1) -> NDArray[np.int32]:
    """Those of the first samples of streams 0, 1, … of one seed: (steps, B, U)."""
    return draw([UniformStream(seed, stream) for stream in range(streams)], steps, each)
