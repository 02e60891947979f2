"""The inputs that every layer's dilated taps will need again: one conveyor of rows for all layers.

A row is one layer's input at one step, (B, R). The lines lie end to end, oldest row first, and
the whole belt moves by one row a step:

    layer 0, (k-1)*d = 2    layer 1, 4              layer 2, ...
    [ t-2  t-1 ]            [ t-4  t-3  t-2  t-1 ]  [ ...
      ^ read                  ^ written at t with layer 0's input, after layer 1's t-4 was read

Layer 0's new row takes the place of layer 1's oldest, which no later step needs. So `start` goes
up by one, every index relative to it is constant, and a step is one gather and one scatter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from wn_runtime.model.spec import ModelSpec

_LEAST_SLACK = 1024


class DelayLines:
    """(k-1)*sum(d) rows of B streams, in a buffer with room to move before it is wound back."""

    def __init__(self, spec: ModelSpec, streams: int, dtype: DTypeLike = np.float32) -> None:
        lengths = [(spec.kernel - 1) * d for d in spec.dilations]
        firsts = np.cumsum([0, *lengths])  # of each layer, and the end
        self._rows = spec.state_rows
        # Slack of at least `rows`, so that winding back never copies onto itself.
        self._slack = max(self._rows, _LEAST_SLACK)
        shape = (self._rows + self._slack, streams, spec.residual_channels)
        self._buffer: NDArray[Any] = np.zeros(shape, dtype)
        # The same memory with a whole row as one item: numpy moves such items fastest.
        self._item = np.dtype((np.void, self._buffer[0].nbytes))
        self._items = self._buffer.reshape(len(self._buffer), -1).view(self._item)[:, 0]
        self._start = 0
        self._moved = self._items[self._start :]
        # past[l, j-1] is j*d rows before the end of line l; the new row goes to that end.
        taps = [
            end - j * d
            for end, d in zip(firsts[1:], spec.dilations, strict=True)
            for j in range(1, spec.kernel)
        ]
        self._taps = np.array(taps, np.intp)
        self._ends = firsts[1:].astype(np.intp)

    def bind(self, past: NDArray[Any], present: NDArray[Any]) -> None:
        """Name the memory of `read` and `write`: past (L, k-1, B, R), present (L, B, R)."""
        self._past = past.reshape(len(self._taps), -1).view(self._item)[:, 0]
        self._present = present.reshape(len(self._ends), -1).view(self._item)[:, 0]

    def read(self) -> None:
        """Fill past: past[l, j-1] is layer l's input j*d steps ago."""
        # With mode="clip" numpy writes into `out` directly; the indices are never out of range.
        self._moved.take(self._taps, 0, self._past, "clip")

    def write(self) -> None:
        """Append present, each layer's input at this step, and move on by one."""
        self._moved.put(self._ends, self._present, "clip")
        self._start += 1
        if self._start == self._slack:
            self._buffer[: self._rows] = self._lines
            self._start = 0
        self._moved = self._items[self._start :]

    def snapshot(self) -> NDArray[np.float32]:
        """A copy in the layout of `model.state`: ((k-1)*sum(d), B, R), oldest first."""
        return self._lines.astype(np.float32)

    def restore(self, lines: NDArray[np.float32]) -> None:
        """Take over what `snapshot` gave."""
        self._lines[...] = lines

    @property
    def _lines(self) -> NDArray[Any]:
        return self._buffer[self._start : self._start + self._rows]
