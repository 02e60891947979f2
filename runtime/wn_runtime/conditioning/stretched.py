"""Frames stretched to samples in stages that each see their neighbours: r9y9's networks.

    frames       …  x[i-1]  x[i]  x[i+1]  …      normalised: (x - mean) · scale
    conv         c[i] = Σ_j x[i+j-context] @ W[j]
    stage k      row i·s + p, p = 0 … s-1, of row i and those around it, s rows a row:
                 leaky( b + Σ_j Σ_q c[i+j-back, q+·] K[j, p, q] )    q: along the channels
    bias         row @ V, of every layer, one a sample

(r9y9/wavenet_vocoder, upsample.py: a nearest-neighbour stretch by s and a convolution of 2s+1 rows
are together a stage of back = ahead = 1; a transposed convolution of stride s one that sees its own
row alone.) The clip has edges: what a stage sees beyond them is zero, while `conv` sees the first
and the last frame once more, as does every stage for `margin` frames. So a frame of `END` says that
the clip is over; nobody else need know.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.arguments import shown
from wn_runtime.conditioning.frames import MOST_DEVIATIONS
from wn_runtime.conditioning.part import Frames, Rows, Value
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.conditioning.stages import Level, dense, inside_of, levels, windows
from wn_runtime.model.state import State

END = float(np.finfo(np.float32).max)
"""What a frame holds that is beyond the clip's last; finite, as frames are checked to be."""
ENDED = 1e38
"""A first channel from here on is END's: in the graph, where nothing compares, 1e38 - x tells."""
MOST_STAGES, MOST_REACH, WIDEST = 8, 31, 63
MOST_NUMBERS = 2**26
"""In a stage's kernel as one product of all channels: 256 MiB."""
MOST_PLACES = 256
"""Matrices that are kept: one for each way that a clip's ends lie around a frame."""
_PREFIX = "condition.stretched."
MEAN, SCALE, WEIGHT = f"{_PREFIX}mean", f"{_PREFIX}scale", f"{_PREFIX}weight"
CONV = f"{_PREFIX}conv.weight"

Array = NDArray[np.float32]


def stage_names(index: int) -> tuple[str, str]:
    """The canonical names of a stage's kernel and bias."""
    return f"{_PREFIX}{index}.weight", f"{_PREFIX}{index}.bias"


@dataclass(frozen=True)
class StretchedFrames(ConditionerSpec):
    """A convolution over frames, and stages of stretching."""

    channels: int
    """C."""
    scales: tuple[int, ...]
    """s of each stage; the hop is their product."""
    back: tuple[int, ...]
    """Rows before its own that each stage sees."""
    ahead: tuple[int, ...]
    """The same after."""
    context: int = 0
    """Frames on each side that the convolution sees."""
    margin: int = 0
    """Copies of the first and of the last frame that count as the clip's own, on each side."""
    frequency: int = 1
    """Channels that a stage's kernel spans; odd."""
    slope: float = 1.0
    """Of leaky, below zero: 1 is no activation, 0 a relu."""

    kind: ClassVar[str] = "stretched"

    def __post_init__(self) -> None:
        if not 1 <= self.channels <= 4096:
            raise ValueError(f"channels is {self.channels}; it must be 1 to 4096")
        if not 1 <= len(self.scales) <= MOST_STAGES:
            raise ValueError(f"there are {len(self.scales)} scales; give 1 to {MOST_STAGES}")
        if min(self.scales) < 1 or math.prod(self.scales) > 65536:
            raise ValueError(
                f"scales are {shown(list(self.scales))}; each must be 1 or more, and their product "
                "at most 65536"
            )
        for name in ("back", "ahead"):
            reach = getattr(self, name)
            if len(reach) != len(self.scales) or not all(0 <= n <= MOST_REACH for n in reach):
                raise ValueError(
                    f"{name} is {shown(list(reach))}; give {len(self.scales)} numbers, each 0 to "
                    f"{MOST_REACH}"
                )
        widest = max(self.taps(i) * scale for i, scale in enumerate(self.scales))
        if widest * self.channels**2 > MOST_NUMBERS:
            raise ValueError(
                f"a stage's product has {widest} x {self.channels}^2 numbers, over {MOST_NUMBERS}; "
                "take fewer channels or smaller scales"
            )
        for name in ("context", "margin"):
            if not 0 <= getattr(self, name) <= MOST_REACH:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 0 to {MOST_REACH}")
        if self.frequency % 2 == 0 or not 1 <= self.frequency <= WIDEST:
            raise ValueError(f"frequency is {self.frequency}; it must be odd, 1 to {WIDEST}")
        if not 0 <= self.slope <= 1:
            raise ValueError(f"slope is {self.slope}; it must be 0 to 1")

    @property
    def frame_channels(self) -> int:
        """C."""
        return self.channels

    @property
    def hop(self) -> int:
        """See `ConditionerSpec.hop`."""
        return math.prod(self.scales)

    @property
    def hold(self) -> int:
        """A row a sample."""
        return 1

    @property
    def levels(self) -> tuple[Level, ...]:
        """The stages, first to last."""
        return levels(self.scales, self.back, self.ahead)

    @property
    def past(self) -> int:
        """M: frames before a block that it depends on."""
        return self.levels[0].before + self.context + self.margin

    @property
    def beyond(self) -> int:
        """Frames after a block that it depends on."""
        return self.levels[0].after + self.context + self.margin

    @property
    def lookahead(self) -> int:
        """See `ConditionerSpec.lookahead`."""
        return self.beyond * self.hop

    @property
    def memory(self) -> int:
        """See `ConditionerSpec.memory`."""
        return self.past * self.hop

    def taps(self, stage: int) -> int:
        """Rows that a stage sees."""
        return self.back[stage] + 1 + self.ahead[stage]

    def shapes(self, layers: int, gate_channels: int) -> dict[str, tuple[int, ...]]:
        """mean, scale [C]; conv.weight [2·context+1, C, C], tap 0 the oldest frame.

        Of each stage i i.weight [taps, s, frequency], its first tap the oldest row, i.bias [1];
        weight [C, L, G], V.
        """
        c = self.channels
        table: dict[str, tuple[int, ...]] = {MEAN: (c,), SCALE: (c,)}
        table[CONV] = (2 * self.context + 1, c, c)
        for i, scale in enumerate(self.scales):
            weight, bias = stage_names(i)
            table |= {weight: (self.taps(i), scale, self.frequency), bias: (1,)}
        return {**table, WEIGHT: (c, layers, gate_channels)}

    def part(
        self, layers: int, gate_channels: int, weights: Mapping[str, Array]
    ) -> StretchedConditioner:
        """See `ConditionerSpec.part`."""
        return StretchedConditioner(self, (layers, gate_channels), weights)

    def padding(self, weights: Mapping[str, Array]) -> Array:  # noqa: ARG002
        """A frame that says that the clip is over."""
        return np.full(self.channels, END, np.float32)


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
    ) -> tuple[Rows, State]:
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
        streams, width = len(c), self._weight.shape[1]
        rows = np.empty((streams, count, spec.hop, width), np.float32)
        size = c.shape[1] - count + 1
        for i in range(count):
            each, inside = c[:, i : i + size], within[:, i : i + size]
            if self._linear:
                np.matmul(self._matrices(inside), each, out=rows[:, i])
            else:
                np.matmul(self._stretched(each, inside), self._weight, out=rows[:, i])
        apart = rows.reshape(streams, count * spec.hop, *self._shape)
        return apart.transpose(1, 2, 0, 3), following

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
        taps = np.concatenate([y[j : j + count] for j in starts], axis=2).transpose(1, 0, 2)
        reach = range(spec.context, spec.context + 2 * spec.margin + 1)
        within = np.max([inside[j : j + count] for j in reach], axis=0).transpose(1, 0, 2)
        c = np.ascontiguousarray(taps)[:, :, None] @ self._conv  # (B, n, 1, C), one by one
        if self._linear:
            c = c @ self._weight
        return c[:, :, 0] * within, np.ascontiguousarray(within)

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
