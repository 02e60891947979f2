"""How a configuration asks for local conditioning: its table [model.frames]."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wn_runtime.conditioning.frames import LocalFrames

SHORT_HOLD = 16
"""Samples: the longest that a row is held for by default. Shorter costs time and sounds no other:
2 ms at 8 kHz is a fifth of a frame."""


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
