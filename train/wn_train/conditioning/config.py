"""How a configuration asks for conditioning: its tables [model.frames] and [model.context]."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from wn_runtime.conditioning.context_stack import MOST_LAYERS, ContextStack
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.heads.head import Head
from wn_runtime.heads.softmax import Softmax

SHORT_HOLD = 16
"""Samples: the longest that a row is held for by default. Shorter costs time and sounds no other:
2 ms at 8 kHz is a fifth of a frame."""
POOL, BLOCK = 64, 256
"""Samples: what a context stack averages and conditions at a time, about, by default."""


@dataclass(frozen=True)
class FramesConfig:
    """The frame network; see `wn_runtime.conditioning.frames.LocalFrames`."""

    hop: int = 0
    """Samples between two frames, at the model's rate; 0: as features.json says."""
    channels: int = 0
    """C; 0: as the first file has them."""
    hidden: int = 64
    """Channels of the frame network; without kernels there are C."""
    kernels: tuple[int, ...] = (3, 3)
    """Odd widths of the frame-rate convolutions, in frames."""
    causal: bool = False
    """No look ahead, and so no latency, in the convolutions."""
    upsampling: str = "transposed"
    """`repeat`, `linear` or `transposed`."""
    hold: int = 0
    """Samples that share a row of bias; 0: the hop for `repeat`, else its largest divisor up to
    16."""

    def __post_init__(self) -> None:
        if self.channels < 0:
            raise ValueError(
                f"channels is {self.channels}; it must be 0 (as the files have) to 4096"
            )
        known = self if self.hop else replace(self, hop=self.hold or 1)
        known.spec(self.channels or 1)

    def spec(self, channels: int) -> LocalFrames:
        """The conditioner of frames of so many channels. Raises ValueError for what none can be."""
        repeats = self.upsampling == "repeat"
        longest = self.hop if repeats else min(SHORT_HOLD, self.hop)
        default = max((n for n in range(1, longest + 1) if self.hop % n == 0), default=1)
        return LocalFrames(
            channels=channels,
            hop=self.hop,
            hidden=self.hidden if self.kernels else channels,
            kernels=self.kernels,
            causal=self.causal,
            upsampling=self.upsampling,
            hold=self.hold or default,
        )


@dataclass(frozen=True)
class ContextConfig:
    """The context stack; see `wn_runtime.conditioning.context_stack.ContextStack`."""

    pool: int = 0
    """Samples averaged to a frame of history; 0: 64, or beside frames what fits them, near it."""
    block: int = 0
    """Samples conditioned at a time, and the delay; 0: 256, or the next whole number of pools and
    frames."""
    channels: int = 64
    filter_width: int = 32
    """Samples that the filter before the pooling sees."""
    kernel: int = 2
    layers: int = 8
    """Layers of dilations 1, 2, 4, … frames; ignored where `dilations` is given."""
    dilations: tuple[int, ...] = ()
    """One a layer, in frames, instead of `layers`."""

    def __post_init__(self) -> None:
        if not 1 <= self.layers <= MOST_LAYERS:
            raise ValueError(f"layers is {self.layers}; it must be 1 to {MOST_LAYERS}")
        for name in ("pool", "block"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 0 (chosen) or more")
        self.spec(Softmax(), None)

    def spec(self, head: Head, local: LocalFrames | None) -> ContextStack:
        """The conditioner of a model of such samples, beside such frames.

        Raises ValueError for what none can be.
        """
        pool = self.pool or (POOL if local is None else _pool_beside(local))
        whole = math.lcm(pool, local.hop if local is not None else 1)
        return ContextStack(
            pool=pool,
            block=self.block or -(-BLOCK // whole) * whole,
            channels=self.channels,
            filter_width=self.filter_width,
            kernel=self.kernel,
            dilations=self.dilations or tuple(1 << layer for layer in range(self.layers)),
            classes=head.codes or 0,
        )


def _pool_beside(local: LocalFrames) -> int:
    """Whole rows of the frames' bias that fill a frame, or whole frames: the nearest to POOL."""
    rows = [n for n in range(local.hold, local.hop + 1, local.hold) if local.hop % n == 0]
    whole = max(1, POOL // local.hop) * local.hop
    return min([*rows, whole], key=lambda samples: abs(math.log(samples / POOL)))
