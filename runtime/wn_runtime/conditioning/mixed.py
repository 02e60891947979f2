"""A bias that is not made yet: a frame's few rows, and what each of its samples has of each.

    rows   frame 0: [part 0] [part 1] [part 2]      frame 1: [part 0] …      each row (L, B, G)
    mix    samples 0 … P/F-1 of frame 0: three weights each; …
    bias   of sample t: Σ_k mix[t, :, k] · rows[t // (P/F), k]

Where each sample has a row of its own, the rows are most of what conditioning writes and an engine
reads. An engine that mixes them itself reads a frame's, which stay in the cache.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

TOGETHER = 16
"""Rows of a product so small that OpenBLAS copies no factor first: half the time of all at once."""


@dataclass(frozen=True, eq=False)
class Mixed:
    """The bias of P samples, F frames of P/F each, as sums of K rows."""

    rows: Array
    """(F, K, L, B, G)"""
    mix: Array
    """(P, B, K)"""

    @property
    def held(self) -> int:
        """Samples of a frame, P/F."""
        return len(self.mix) // len(self.rows)

    def fits(self, shape: tuple[int, int, int], samples: int) -> bool:
        """Whether it is one of P samples of L layers, B streams and G channels: (L, B, G)."""
        rows, mix = self.rows, self.mix
        if rows.ndim != 5 or not rows.size or samples % len(rows):
            return False
        return rows.shape[2:] == shape and mix.shape == (samples, shape[1], rows.shape[1])

    def dense(self) -> Array:
        """The rows themselves, (P, L, B, G)."""
        frames, parts, layers, streams, gate = self.rows.shape
        few = together(self.held)
        rows = self.rows.transpose(3, 0, 1, 2, 4).reshape(streams, frames, 1, parts, -1)
        mix = self.mix.reshape(frames, -1, few, streams, parts).transpose(3, 0, 1, 2, 4)
        made = np.empty((*mix.shape[:4], layers * gate), np.float32)
        for i in range(frames):
            np.matmul(mix[:, i], rows[:, i], out=made[:, i])
        return made.reshape(streams, -1, layers, gate).transpose(1, 2, 0, 3)

    def plus(self, constant: Array) -> Mixed:
        """The sum with a row that is held throughout, (1, L, B, G): one part more."""
        more = np.broadcast_to(constant[:, None], (len(self.rows), 1, *constant.shape[1:]))
        ones = np.ones((*self.mix.shape[:2], 1), np.float32)
        return Mixed(
            np.concatenate([self.rows, more], axis=1), np.concatenate([self.mix, ones], axis=2)
        )

    def piece(self, frames: slice, start: int, samples: int) -> Mixed:
        """Of so many samples from `start` on, which these frames are for."""
        return Mixed(self.rows[frames], self.mix[start : start + samples])

    def streams(self, chosen: slice | list[int]) -> Mixed:
        """That of some of the streams."""
        return Mixed(self.rows[:, :, :, chosen], self.mix[:, chosen])


def together(samples: int) -> int:
    """Rows to make in one product, of a frame of so many samples."""
    return math.gcd(samples, TOGETHER)
