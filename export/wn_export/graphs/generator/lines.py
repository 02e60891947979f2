"""Where the delay lines' rows are while a block of K samples is made: indices, all known before.

The state has all lines end to end, oldest row first. A layer whose dilation is K or more is *far*:
nothing that its older taps see is made in the block, so they are read once for all its samples.
The others are *near*. Their lines are on a belt, which has room for a block:

    layer 0, (k-1)·d = 2   layer 1, 4                 K more rows
    [ t-2  t-1 ]           [ t-4  t-3  t-2  t-1 ]     [              ]
      ^ tap                  ^ written at t with layer 0's input, after layer 1's t-4 was read

Sample i of the block reads and writes i rows further on, so a step is one gather and one scatter.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.generator.signature import BLOCK
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec

Indices = NDArray[np.int64]
MOST_ROWS = 2**24
"""Of all lines together: the graph has 32 bytes of indices for each."""


@dataclass(frozen=True)
class Lines:
    """The lines of a model."""

    spec: ModelSpec

    def __post_init__(self) -> None:
        if self.spec.state_rows > MOST_ROWS:
            raise WavestepError(
                f"a generator graph's delay lines have at most {MOST_ROWS} rows, this model's "
                f"{self.spec.state_rows}; use the step graph"
            )

    @property
    def near(self) -> tuple[int, ...]:
        """Layers with a dilation below K."""
        return tuple(i for i, d in enumerate(self.spec.dilations) if d < BLOCK)

    @property
    def far(self) -> tuple[int, ...]:
        """The others."""
        return tuple(i for i, d in enumerate(self.spec.dilations) if d >= BLOCK)

    @property
    def order(self) -> tuple[int, ...]:
        """All layers, the near ones first: how what is made of both is laid out."""
        return self.near + self.far

    @property
    def near_rows(self) -> int:
        """Rows of the near lines, at the beginning of the belt."""
        return sum(map(self._length, self.near))

    @property
    def belt_rows(self) -> int:
        """Rows of the belt: the near lines', and K."""
        return self.near_rows + BLOCK

    @property
    def onto_belt(self) -> Indices:
        """Rows of the state that are the belt's first: (near_rows,)."""
        starts = self._starts
        rows = [np.arange(starts[i], starts[i] + self._length(i)) for i in self.near]
        return np.concatenate(rows)

    @property
    def near_taps(self) -> Indices:
        """Rows of the belt that each sample's older taps see: (K, near layers, k-1)."""
        older = range(1, self.spec.kernel)
        first = [
            [end - j * self.spec.dilations[i] for j in older]
            for i, end in zip(self.near, self._belt_ends, strict=True)
        ]
        rows: Indices = np.arange(BLOCK)[:, None, None] + np.array(first)
        return rows

    @property
    def near_written(self) -> Indices:
        """Rows of the belt that each sample's layer inputs go to: (K, near layers, 1)."""
        rows: Indices = np.arange(BLOCK)[:, None, None] + np.array(self._belt_ends)[:, None]
        return rows

    @property
    def far_taps(self) -> Indices:
        """Rows of the state that each sample's older taps see: (far layers, K, k-1)."""
        kernel, starts = self.spec.kernel, self._starts
        first = [
            [starts[i] + (kernel - 1 - j) * self.spec.dilations[i] for j in range(1, kernel)]
            for i in self.far
        ]
        rows: Indices = np.arange(BLOCK)[None, :, None] + np.array(first)[:, None, :]
        return rows

    def kept(self) -> tuple[Indices, Indices, Indices]:
        """Where the state's rows come from after n samples: limit, first, stride, (rows,) each.

        Row r is row r + n of the state before where n < limit[r], else row first[r] + n·stride[r]
        of these one after another: the state before, the belt, the far layers' inputs (n, far).
        """
        rows = self.spec.state_rows
        limit, first = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        stride, starts = np.ones(rows, np.int64), self._starts
        first[self.onto_belt if self.near else []] = rows + np.arange(self.near_rows)
        made = rows + (self.belt_rows if self.near else 0)
        for place, layer in enumerate(self.far):
            length, start = self._length(layer), int(starts[layer])
            own = slice(start, start + length)
            limit[own] = np.arange(length, 0, -1)
            first[own] = made + place - limit[own] * len(self.far)
            stride[own] = len(self.far)
        return limit, first, stride

    def _length(self, layer: int) -> int:
        return (self.spec.kernel - 1) * self.spec.dilations[layer]

    @property
    def _starts(self) -> list[int]:
        """The first row of each layer in the state."""
        return [0, *itertools.accumulate(map(self._length, range(self.spec.layers)))][:-1]

    @property
    def _belt_ends(self) -> list[int]:
        """The row after each near line's last on the belt."""
        return list(itertools.accumulate(map(self._length, self.near)))
