"""Frames of a clip (mel spectra, phones, F0, …), one every `hop` samples, condition it locally.

    frames       …  i-1     i      i+1   …          frame i covers samples i·hop … (i+1)·hop - 1
    normalised      (x - mean) · scale              by channel, of the training split
    kernels         y[i] = relu(b + Σ_j x[i+j-past] @ W[j]), one after another
    upsampling      rows r = 0 … R-1 of frame i, R = hop / hold, each held for `hold` samples
    bias            row @ V, of every layer

(WaveNet, section 2.5. Frame-rate convolutions before the upsampling: Deep Voice, section 5.1.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.arguments import shown
from wn_runtime.conditioning.numbered import numbered
from wn_runtime.conditioning.part import Frames, Rows, Value
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.errors import unknown
from wn_runtime.model import ranges
from wn_runtime.model.state import State

UPSAMPLINGS = ("repeat", "linear", "transposed")
MOST_DEVIATIONS = 1000.0
"""What a channel can be off its mean, in deviations: a frame from elsewhere overflows nothing."""
MOST_KERNELS, WIDEST_KERNEL = 16, 63
_RANGES = {"channels": (1, 4096), "hop": (1, 65536), "hidden": (1, 4096), "taps": (1, 64)}
_PREFIX = "condition.frames."
MEAN, SCALE, WEIGHT = f"{_PREFIX}mean", f"{_PREFIX}scale", f"{_PREFIX}weight"
UPSAMPLING = f"{_PREFIX}upsampling.weight"

Array = NDArray[np.float32]


def kernel_names(index: int) -> tuple[str, str]:
    """The canonical names of a frame-rate convolution's weight and bias."""
    return numbered(_PREFIX, index)


@dataclass(frozen=True)
class LocalFrames(ConditionerSpec):
    """A network at the rate of the frames, upsampled to rows of bias."""

    channels: int
    """C."""
    hop: int = 0
    """Samples that a frame covers."""
    hidden: int = 64
    """H, channels of the frame network; without kernels it is C."""
    kernels: tuple[int, ...] = (3, 3)
    """Odd widths of the frame-rate convolutions, in frames. Empty: frames go straight on."""
    causal: bool = False
    """Convolutions end at their frame, and do not lie around it."""
    upsampling: str = "repeat"
    """`repeat`: a frame's one row. `linear`: from y[i], at the frame's first sample, to y[i+1], at
    the next one's; row r is the line's value at its middle, (r + 1/2) / R of the way.
    `transposed`: row r = y[i] @ W[r] + y[i-1] @ W[R+r], a transposed convolution of stride R."""
    hold: int = 0
    """Samples for which a row is held; it divides `hop`, and for `repeat` is `hop`."""
    taps: int = 2
    """Of `transposed`: frames that a row is made of, its own and those before it."""

    kind: ClassVar[str] = "frames"

    def __post_init__(self) -> None:
        ranges.check(self, _RANGES)
        if len(self.kernels) > MOST_KERNELS:
            raise ValueError(f"there are {len(self.kernels)} kernels; give at most {MOST_KERNELS}")
        for width in self.kernels:
            if width % 2 == 0 or not 1 <= width <= WIDEST_KERNEL:
                raise ValueError(
                    f"kernels are {shown(list(self.kernels))}; each must be odd, 1 to "
                    f"{WIDEST_KERNEL}"
                )
        if not self.kernels and self.hidden != self.channels:
            raise ValueError(
                f"hidden is {self.hidden}; without kernels it must be channels, {self.channels}"
            )
        if self.upsampling not in UPSAMPLINGS:
            raise ValueError(unknown("upsampling", self.upsampling, UPSAMPLINGS))
        if not 1 <= self.hold <= self.hop or self.hop % self.hold:
            raise ValueError(f"hold is {self.hold}; it must divide hop, {self.hop}")
        if self.upsampling == "repeat" and self.hold != self.hop:
            raise ValueError(
                f"hold is {self.hold}; repeat holds a row for the whole hop, {self.hop}"
            )

    @property
    def frame_channels(self) -> int:
        """C."""
        return self.channels

    @property
    def rows(self) -> int:
        """R: rows of bias a frame."""
        return self.hop // self.hold

    @property
    def past(self) -> int:
        """M: frames before a block that it depends on."""
        behind = sum(w - 1 if self.causal else w // 2 for w in self.kernels)
        return behind + (self.taps - 1 if self.upsampling == "transposed" else 0)

    @property
    def ahead(self) -> int:
        """Frames after a block that it depends on."""
        beyond = 0 if self.causal else sum(w // 2 for w in self.kernels)
        return beyond + (self.upsampling == "linear")

    @property
    def lookahead(self) -> int:
        """See `ConditionerSpec.lookahead`."""
        return self.ahead * self.hop

    @property
    def memory(self) -> int:
        """See `ConditionerSpec.memory`."""
        return self.past * self.hop

    def shapes(self, layers: int, gate_channels: int) -> dict[str, tuple[int, ...]]:
        """mean, scale [C]; 0.weight [k, C, H], tap 0 the oldest frame, 0.bias [H]; … [k, H, H].

        Where it is transposed upsampling.weight [taps·R, H, H], the newest frame's first; weight
        [H, L, G], V.
        """
        table: dict[str, tuple[int, ...]] = {MEAN: (self.channels,), SCALE: (self.channels,)}
        inputs = self.channels
        for i, width in enumerate(self.kernels):
            weight, bias = kernel_names(i)
            table |= {weight: (width, inputs, self.hidden), bias: (self.hidden,)}
            inputs = self.hidden
        if self.upsampling == "transposed":
            table[UPSAMPLING] = (self.taps * self.rows, self.hidden, self.hidden)
        return {**table, WEIGHT: (self.hidden, layers, gate_channels)}

    def part(
        self, layers: int, gate_channels: int, weights: Mapping[str, Array]
    ) -> LocalConditioner:
        """See `ConditionerSpec.part`."""
        return LocalConditioner(self, (layers, gate_channels), weights)

    def padding(self, weights: Mapping[str, Array]) -> Array:
        """The mean of the training split, which normalised is zero."""
        return weights[MEAN]

    @property
    def line(self) -> Array:
        """(R,) where on the way from y[i] to y[i+1] each row of `linear` lies."""
        return ((np.arange(self.rows) + 0.5) / self.rows).astype(np.float32)


def by_frame(upsampling: Array, rows: int) -> Array:
    """The transposed convolution [taps·R, H, H] as one product: […, y[i]] @ (taps·H, R·H)."""
    width = upsampling.shape[1]
    taps = upsampling.reshape(-1, rows, width, width)[::-1]  # (tap, R, in, out)
    return np.ascontiguousarray(taps.transpose(0, 2, 1, 3).reshape(-1, rows * width))


class LocalConditioner:
    """Its state is the M normalised frames before the block, zeros before the first.

    Products are stacked, (B, n, 1, K) @ (K, N), one a stream and frame: BLAS sums one product of
    many rows in another order for another number of them, and the last bits of a stream's bias
    would depend on how many samples were asked for at a time, and on who runs beside it.
    """

    def __init__(
        self, spec: LocalFrames, shape: tuple[int, int], weights: Mapping[str, Array]
    ) -> None:
        self._spec, self._shape = spec, shape  # (L, G)
        self._mean, self._scale = weights[MEAN], weights[SCALE]
        self._least, self._most = _bounds(self._mean, self._scale)
        self._past, self._beyond, self._rows = spec.past, spec.ahead, spec.rows
        self._kernels = []
        for i, width in enumerate(spec.kernels):
            weight, bias = (weights[name] for name in kernel_names(i))
            self._kernels.append((width, weight.reshape(-1, spec.hidden), bias))
        self._upsampling = None
        if spec.upsampling == "transposed":
            self._upsampling = by_frame(weights[UPSAMPLING], spec.rows)
        self._line = spec.line[:, None]
        self._weight = weights[WEIGHT].reshape(spec.hidden, -1)  # (H, L·G)

    def start(self, _values: Mapping[str, Sequence[Value | None]], streams: int) -> State:
        """Frames before the first are the mean."""
        return {"past": np.zeros((self._spec.past, streams, self._spec.channels), np.float32)}

    def block(
        self, state: State, samples: int, frames: Frames | None, _history: NDArray[Any] | None, /
    ) -> tuple[Rows, State]:
        """See `ConditionerPart.block`."""
        assert frames is not None
        # Frames that come one by one find caches full of the engine's weights: every call of
        # NumPy costs as much as a product here, so that there are few, and none that copies.
        past, count = state["past"], samples // self._spec.hop
        needed = count + self._beyond
        window = np.empty((self._past + needed, *past.shape[1:]), np.float32)
        window[: self._past] = past
        self._normalise(frames[:needed], window[self._past :])
        following = {"past": window[count : count + self._past].copy()}
        # Streams first: then frames side by side lie side by side in memory, and no tap is copied.
        y = np.ascontiguousarray(window.transpose(1, 0, 2))  # (B, M + n + ahead, C)
        for width, weight, bias in self._kernels:
            y = (_side_by_side(y, width) @ weight)[:, :, 0]
            y += bias
            np.maximum(y, 0, out=y)
        rows = np.matmul(self._upsampled(y), self._weight)  # (B, n, R, L·G)
        apart = rows.reshape(len(rows), count * self._rows, *self._shape)
        return apart.transpose(1, 2, 0, 3), following

    def _normalise(self, frames: Frames, out: Array) -> None:
        np.maximum(frames, self._least, out=out)
        np.minimum(out, self._most, out=out)
        out -= self._mean
        out *= self._scale

    def _upsampled(self, y: Array) -> Array:
        """The rows of every frame: y (B, n, H), and the frames that it sees -> (B, n, R, H)."""
        if self._upsampling is not None:  # […, y[i-1], y[i]] @ (taps·H, R·H)
            flat = _side_by_side(y, self._spec.taps) @ self._upsampling  # (B, n, 1, R·H)
            return flat.reshape(*flat.shape[:2], self._rows, -1)
        frames = y[:, :, None]
        if self._spec.upsampling == "repeat":
            return frames
        first, second = frames[:, :-1], frames[:, 1:]
        rows: Array = self._line * (second - first)
        rows += first
        return rows


def _bounds(mean: Array, scale: Array) -> tuple[Array, Array]:
    """What a frame is kept within, so that normalised it is within MOST_DEVIATIONS: (C,) each."""
    with np.errstate(divide="ignore", over="ignore"):
        far = np.abs(MOST_DEVIATIONS / scale.astype(np.float64))
        bounds = (mean - far, mean + far)
        least, most = (bound.astype(np.float32) for bound in bounds)
    return least, most


def _side_by_side(y: Array, width: int) -> Array:
    """A view of every `width` frames as one row, the oldest first: (B, F, C) -> (B, n, 1, K)."""
    streams, frames, channels = y.shape
    shape = (streams, frames - width + 1, 1, width * channels)
    step = y.itemsize
    strides = (frames * channels * step, channels * step, channels * step, step)
    view: Array = np.ndarray(shape, y.dtype, y, 0, strides)
    return view
