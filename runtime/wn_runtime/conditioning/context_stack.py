"""A context stack: a small network over a long, pooled history conditions the main one.

    history      …  block n-1                    |  block n                      P samples a block
    wave         w[t], an amplitude              |
    filter       relu(b + Σ_j w[t-j] @ F[j])     |
    pooled       p[f], the mean of `pool` samples|
    layers       h[f] + relu(b + Σ_j h[f-j·d] @ W[j]), one after another
    bias         row r = h @ V of frame r of block n-1, held for `pool` samples of block n

(WaveNet, section 2.6.) What a block is conditioned on ends a block before each of its samples: the
delay is part of the model, in training as in a stream, and what it hides the main stack sees
itself where its receptive field is no shorter. A filter before the pooling, because the mean of
an amplitude is silence and that of a class tells loudness only; relu and an addition, not a gate,
because at so low a rate the calls are what costs, and because no library's tanh is another's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.numbered import numbered
from wn_runtime.conditioning.part import Frames, Rows, Value
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.heads.head import Head
from wn_runtime.model import ranges
from wn_runtime.model.state import State

_RANGES = {
    "pool": (1, 65536),
    "block": (1, 65536),
    "channels": (1, 4096),
    "filter_width": (1, 1024),
    "kernel": (2, 64),
    "classes": (0, 65536),
}
MOST_LAYERS = 64
MOST_MEMORY = 2**24
"""Samples: 17 minutes at 16 kHz."""
MOST_NUMBERS = 2**26
"""In the state of one stream, and in what its filter makes of a block: 256 MiB."""
_PREFIX = "condition.context."
WAVE, FILTER, FILTER_BIAS = f"{_PREFIX}wave", f"{_PREFIX}filter.weight", f"{_PREFIX}filter.bias"
WEIGHT = f"{_PREFIX}weight"

Array = NDArray[np.float32]


def layer_names(index: int) -> tuple[str, str]:
    """The canonical names of a layer's weight and bias."""
    return numbered(_PREFIX, index)


@dataclass(frozen=True)
class ContextStack(ConditionerSpec):
    """Filter, mean and dilated causal convolutions over the samples before a block."""

    pool: int
    """Samples that are averaged to a frame of history; a row of bias is held for as many."""
    block: int = 0
    """P: samples conditioned at a time, and the delay; a multiple of `pool`."""
    channels: int = 64
    """H."""
    filter_width: int = 32
    """Samples that the filter sees, this one and those before it."""
    kernel: int = 2
    """k: taps of each convolution."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128)
    """In frames, one a layer."""
    classes: int = 0
    """A, where the samples are classes, each with an amplitude to learn; 0: they are amplitudes."""

    kind: ClassVar[str] = "context_stack"

    def __post_init__(self) -> None:
        ranges.check(self, _RANGES)
        if self.block % self.pool:
            raise ValueError(f"block is {self.block}; it must be a multiple of pool, {self.pool}")
        if not 1 <= len(self.dilations) <= MOST_LAYERS:
            raise ValueError(
                f"there are {len(self.dilations)} dilations; give 1 to {MOST_LAYERS}, one a layer"
            )
        if min(self.dilations) < 1:
            raise ValueError(f"dilations are from {min(self.dilations)}; each must be 1 or more")
        if self.memory > MOST_MEMORY:
            raise ValueError(
                f"its context is {self.memory} samples, over {MOST_MEMORY}; take fewer layers, "
                "smaller dilations or a smaller pool"
            )
        state = sum(self.past(layer) for layer in range(len(self.dilations))) * self.channels
        filtered = self.block * max(self.channels, self.filter_width)
        if max(state, filtered) > MOST_NUMBERS:
            raise ValueError(
                f"its state has {state} numbers and a block's filter {filtered}, at most "
                f"{MOST_NUMBERS} can be; take a larger pool, a smaller block or fewer channels"
            )

    def check(self, output: Head) -> None:
        """See `ConditionerSpec.check`."""
        codes = output.codes or 0
        if codes != self.classes:
            raise ValueError(
                f"the context stack reads samples of {self.classes} classes, the head's have "
                f"{codes}; set classes to that (0: amplitudes)"
            )

    @property
    def hop(self) -> int:
        """A row of bias for each frame of history."""
        return self.pool

    @property
    def memory(self) -> int:
        """Samples before t that the bias of x[t] can see, and no more before a block's first."""
        frames = (self.kernel - 1) * sum(self.dilations)
        return self.block + frames * self.pool + self.filter_width - 1

    @property
    def uses_history(self) -> bool:
        """See `ConditionerSpec.uses_history`."""
        return True

    @property
    def training_numbers(self) -> int:
        """See `ConditionerSpec.training_numbers`."""
        frame = len(self.dilations) * (self.kernel + 2) * self.channels
        return self.channels + -(-frame // self.pool)

    def past(self, layer: int) -> int:
        """Frames that a layer keeps: (k-1)·d."""
        return (self.kernel - 1) * self.dilations[layer]

    def shapes(self, layers: int, gate_channels: int) -> dict[str, tuple[int, ...]]:
        """Where samples are classes wave [A]; filter.weight [W, 1, H], tap 0 = current.

        filter.bias [H]; of each layer i i.weight [k, H, H], tap 0 = current, i.bias [H]; weight
        [H, L, G], V.
        """
        width = self.channels
        table: dict[str, tuple[int, ...]] = {WAVE: (self.classes,)} if self.classes else {}
        table |= {FILTER: (self.filter_width, 1, width), FILTER_BIAS: (width,)}
        for i in range(len(self.dilations)):
            weight, bias = layer_names(i)
            table |= {weight: (self.kernel, width, width), bias: (width,)}
        return {**table, WEIGHT: (width, layers, gate_channels)}

    def part(
        self, layers: int, gate_channels: int, weights: Mapping[str, Array]
    ) -> ContextConditioner:
        """See `ConditionerSpec.part`."""
        return ContextConditioner(self, (layers, gate_channels), weights)


class ContextConditioner:
    """Its state: the wave before the block, and each layer's newest input frames, zeros at first.

    Products are stacked, one a stream: (B, n, K) @ (K, N). A block has always as many samples, so
    BLAS sums each in one order, whoever runs beside it and however much is read at a time.
    """

    def __init__(
        self, spec: ContextStack, shape: tuple[int, int], weights: Mapping[str, Array]
    ) -> None:
        self._spec, self._shape = spec, shape  # (L, G)
        self._wave = weights[WAVE] if spec.classes else None
        # Oldest first, as samples lie in memory.
        self._filter = np.ascontiguousarray(weights[FILTER][::-1, 0])  # (W, H)
        self._filter_bias = weights[FILTER_BIAS]
        self._layers = []
        for i in range(len(spec.dilations)):
            weight, bias = (weights[name] for name in layer_names(i))
            self._layers.append((weight.reshape(-1, spec.channels), bias))  # (k·H, H)
        self._weight = weights[WEIGHT].reshape(spec.channels, -1)  # (H, L·G)

    def start(self, _values: Mapping[str, Sequence[Value | None]], streams: int) -> State:
        """Before the silence that is the first block's history there is nothing."""
        spec = self._spec
        state = {"wave": np.zeros((spec.filter_width - 1, streams), np.float32)}
        for i in range(len(spec.dilations)):
            state[f"past{i}"] = np.zeros((spec.past(i), streams, spec.channels), np.float32)
        return state

    def block(
        self, state: State, samples: int, _frames: Frames | None, history: NDArray[Any] | None, /
    ) -> tuple[Rows, State]:
        """See `ConditionerPart.block`."""
        assert history is not None
        assert len(history) == samples == self._spec.block, (len(history), samples)
        wave = history if self._wave is None else self._wave[history]
        known = np.concatenate([state["wave"], wave])  # (W-1 + P, B)
        following = {"wave": known[samples:].copy()}
        h = self._pooled(known)  # (B, n, H)
        for i, (weight, bias) in enumerate(self._layers):
            window = np.concatenate([state[f"past{i}"].transpose(1, 0, 2), h], axis=1)
            following[f"past{i}"] = window[:, h.shape[1] :].transpose(1, 0, 2)  # (M, B, H)
            h = h + self._layer(i, window, weight, bias)
        rows = (h @ self._weight).reshape(*h.shape[:2], *self._shape)  # (B, n, L, G)
        return rows.transpose(1, 2, 0, 3), following

    def _pooled(self, known: Array) -> Array:
        """The wave (W-1 + P, B) through the filter, averaged: (B, n, H)."""
        spec = self._spec
        windows = np.lib.stride_tricks.sliding_window_view(known, spec.filter_width, axis=0)
        filtered = np.ascontiguousarray(windows.transpose(1, 0, 2)) @ self._filter  # (B, P, H)
        filtered += self._filter_bias
        np.maximum(filtered, 0, out=filtered)
        frames = filtered.reshape(len(filtered), -1, spec.pool, spec.channels)
        pooled: Array = frames.mean(axis=2)
        return pooled

    def _layer(self, index: int, window: Array, weight: Array, bias: Array) -> Array:
        """One layer's addition for the newest n frames of its inputs (B, M + n, H)."""
        spec, past = self._spec, self._spec.past(index)
        count = window.shape[1] - past
        starts = [past - j * spec.dilations[index] for j in range(spec.kernel)]  # current first
        taps = np.concatenate([window[:, first : first + count] for first in starts], axis=2)
        added: Array = taps @ weight
        added += bias
        return np.maximum(added, 0, out=added)
