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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.arguments import shown
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.conditioning.stages import Level, levels
from wn_runtime.conditioning.stretched_weights import (
    CONV,
    END,
    MEAN,
    SCALE,
    WEIGHT,
    stage_names,
)
from wn_runtime.conditioning.stretching import StretchedConditioner

MOST_STAGES, MOST_REACH, WIDEST = 8, 31, 63
MOST_NUMBERS = 2**26
"""In a stage's kernel as one product of all channels: 256 MiB."""
Array = NDArray[np.float32]


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
