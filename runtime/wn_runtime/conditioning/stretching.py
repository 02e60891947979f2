"""Frames in, a bias a sample out: the conditioner of stretched.py, block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.frames import MOST_DEVIATIONS
from wn_runtime.conditioning.mixed import Mixed, together
from wn_runtime.conditioning.part import Frames, Rows, Value
from wn_runtime.conditioning.stages import dense, inside_of, windows
from wn_runtime.conditioning.stretched_weights import (
    CONV,
    ENDED,
    MEAN,
    SCALE,
    WEIGHT,
    stage_names,
)
from wn_runtime.model.state import State

if TYPE_CHECKING:
    from wn_runtime.conditioning.stretched import StretchedFrames

MOST_PLACES = 256
"""Matrices that are kept: one for each way that a clip's ends lie around a frame."""
MOST_KEPT = 2**22
"""Numbers of frames' products that are kept: a block needs those of its neighbours, too."""

Array = NDArray[np.float32]


class StretchedConditioner:
    """Its state: the M frames before the block, normalised, and which of them are the clip's.

    Frame by frame, each with its neighbours and products of the same shapes, so that the last bits
    do not depend on how many are asked for at a time. Where stages do nothing but stretch, V goes
    before them, a product a frame and not one a sample, and all of them together are one matrix.
    """

    def __init__(
        self, spec: StretchedFrames, shape: tuple[int, int], weights: Mapping[str, Array]
    ) -> None:
        self._spec, self._shape, self._levels = spec, shape, spec.levels
        self._mean, self._scale = weights[MEAN], weights[SCALE]
        self._conv = weights[CONV].reshape(-1, spec.channels)
        self._weight = weights[WEIGHT].reshape(spec.channels, -1)  # (C, L·G)
        kernels, self._biases = (
            [weights[stage_names(i)[of]] for i in range(len(spec.scales))] for of in (0, 1)
        )
        self._linear = (
            spec.frequency == 1 and spec.slope == 1 and not any(b.any() for b in self._biases)
        )
        self._known: dict[bytes, Array] = {}
        self._made: dict[bytes, Array] = {}
        if self._linear:  # (s, taps) @ (taps, any channels)
            self._kernels = [np.ascontiguousarray(k[:, :, 0].T) for k in kernels]
        else:
            self._kernels = [dense(k, spec.channels) for k in kernels]

    def start(self, _values: Mapping[str, Sequence[Value | None]], streams: int) -> State:
        """Before the first frame there is nothing: the first fills its place."""
        spec = self._spec
        return {
            "past": np.zeros((spec.past, streams, spec.channels), np.float32),
            "inside": np.zeros((spec.past, streams, 1), np.float32),
        }

    def block(
        self, state: State, samples: int, frames: Frames | None, _history: NDArray[Any] | None, /
    ) -> tuple[Rows | Mixed, State]:
        """See `ConditionerPart.block`."""
        assert frames is not None
        spec = self._spec
        count = samples // spec.hop
        given = frames[: count + spec.beyond]
        y, inside = self._filled(state, given, (given[:, :, :1] < ENDED).astype(np.float32))
        following = {
            "past": y[count : count + spec.past].copy(),
            "inside": inside[count : count + spec.past].copy(),
        }
        c, within = self._convolved(y, inside)  # (B, before + n + after, C or L·G), (B, …, 1)
        return (self._mixed if self._linear else self._rows)(c, within, count), following

    def _mixed(self, c: Array, within: Array, count: int) -> Rows | Mixed:
        """Of `count` frames, where stages are linear."""
        streams, size = len(c), c.shape[1] - count + 1
        rows = np.empty((count, size, streams, c.shape[2]), np.float32)
        mix = np.empty((count, self._spec.hop, streams, size), np.float32)
        for i in range(count):
            rows[i] = c[:, i : i + size].swapaxes(0, 1)
            mix[i] = self._matrices(within[:, i : i + size]).swapaxes(0, 1)
        layers, gate = self._shape
        by_layer = rows.reshape(count, size, streams, layers, gate).swapaxes(2, 3)
        found = Mixed(np.ascontiguousarray(by_layer), mix.reshape(-1, streams, size))
        return found.dense() if size > self._spec.hop else found

    def _rows(self, c: Array, within: Array, count: int) -> Rows:
        """Of `count` frames, where V comes after the stages."""
        streams, hop, width = len(c), self._spec.hop, self._weight.shape[1]
        few = together(hop)
        rows = np.empty((streams, count, hop // few, few, width), np.float32)
        size = c.shape[1] - count + 1
        for i in range(count):
            each, inside = c[:, i : i + size], within[:, i : i + size]
            stretched = self._stretched(each, inside).reshape(streams, -1, few, self._spec.channels)
            np.matmul(stretched, self._weight, out=rows[:, i])
        apart = rows.reshape(streams, count * hop, *self._shape)
        return apart.transpose(1, 2, 0, 3)

    def _filled(self, state: State, given: Frames, own: Array) -> tuple[Array, Array]:
        """The block's frames and those around it, normalised: (M + n + beyond, B, C), and inside.

        Before the clip there is its first frame, beyond it its last.
        """
        with np.errstate(over="ignore"):
            y: Array = given - self._mean
            y *= self._scale
        np.maximum(y, -MOST_DEVIATIONS, out=y)
        np.minimum(y, MOST_DEVIATIONS, out=y)
        y *= own
        past, inside = state["past"], state["inside"]
        if not len(past):
            return y, own
        past = past + (1 - inside[-1:]) * y[:1]
        y, inside = np.concatenate([past, y]), np.concatenate([inside, own])
        last = inside.copy()
        last[:-1] *= 1 - inside[1:]
        y[len(past) :] += (1 - own) * (last * y).sum(axis=0, keepdims=True)
        return y, inside

    def _convolved(self, y: Array, inside: Array) -> tuple[Array, Array]:
        """The convolution, zero beyond the clip, and V already where stages are linear."""
        spec = self._spec
        count = len(y) - 2 * (spec.context + spec.margin)
        width = 2 * spec.context + 1
        starts = range(spec.margin, spec.margin + width)
        taps = np.concatenate([y[j : j + count] for j in starts], axis=2)
        reach = range(spec.context, spec.context + 2 * spec.margin + 1)
        within = np.max([inside[j : j + count] for j in reach], axis=0).transpose(1, 0, 2)
        c = np.stack([[self._product(row) for row in rows] for rows in taps], axis=1)
        if not within.all():
            c *= within
        return c, np.ascontiguousarray(within)

    def _product(self, taps: Array) -> Array:
        """Of a frame and its neighbours (width · C,): (C or L·G,).

        Made once: V is most of what a block reads, and the next blocks have the same neighbours.
        """
        key = taps.tobytes()
        found = self._made.get(key)
        if found is None:
            if len(self._made) * self._weight.size // len(self._weight) >= MOST_KEPT:
                self._made.clear()
            found = taps @ self._conv
            if self._linear:
                found = found @ self._weight
            self._made[key] = found
        return found

    def _stretched(self, c: Array, within: Array) -> Array:
        """All stages, for one frame: (B, before + 1 + after, K) -> (B, hop, K)."""
        whole = bool(within.all())
        for i, level in enumerate(self._levels):
            if i and not whole:  # a stage sees nothing beyond the clip
                c = c * inside_of(within, self._levels[0], level)
            count = c.shape[1] - level.back - level.ahead
            c = self._stage(i, np.ascontiguousarray(c), count)
            c = c[:, level.skip : c.shape[1] - level.drop]
        return np.ascontiguousarray(c)

    def _matrices(self, within: Array) -> Array:
        """What all stages make of a frame's rows, of each stream: (B, hop, before + 1 + after).

        One matrix a place in the clip, and nearly every frame's is the same.
        """
        each = []
        for inside in within:
            key = inside.tobytes()
            if key not in self._known:
                if len(self._known) == MOST_PLACES:
                    self._known.clear()
                unit = np.eye(len(inside), dtype=np.float32)[None]
                self._known[key] = self._stretched(unit, inside[None])[0]
            each.append(self._known[key])
        return np.stack(each)

    def _stage(self, index: int, c: Array, count: int) -> Array:
        """One stage: (B, count + back + ahead, K) -> (B, count·s, K)."""
        spec, (streams, _, width) = self._spec, c.shape
        taps, scale = spec.taps(index), spec.scales[index]
        rows = windows(c, taps, count)  # (B, count, taps, K)
        if self._linear:
            found: Array = np.matmul(self._kernels[index], rows)
            return found.reshape(streams, count * scale, width)
        flat = np.ascontiguousarray(rows).reshape(streams, count, taps * width)
        a: Array = (flat @ self._kernels[index]).reshape(streams, count * scale, width)
        a += self._biases[index]
        return a if spec.slope == 1 else np.maximum(a, a * np.float32(spec.slope))
