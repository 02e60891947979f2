"""How a model's conditioning lies in time: what every host of it, and training, must know."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from wn_runtime.conditioning.spec import ConditionerSpec


@dataclass(frozen=True)
class Timing:
    """Of all conditioners of a model together, in samples."""

    hop: int
    """Samples that one frame spans; 1 where there are none."""
    lookahead: int
    """How far frames must be ahead of the samples being made."""
    block: int
    """Blocks are multiples of it; so is where a window of a longer sequence may begin."""
    memory: int
    """Samples before a block that its bias depends on."""
    frame_channels: int
    """C; 0: no frames."""
    uses_history: bool
    """Whether a block's bias depends on the samples before it."""
    context: int = 0
    """Samples before t that the bias of x[t] can see, the second of a model's receptive fields."""

    @classmethod
    def of(cls, conditioning: Iterable[ConditionerSpec]) -> Timing:
        """That of a spec's conditioning."""
        parts = tuple(conditioning)
        return cls(
            hop=math.lcm(*(part.hop for part in parts if part.frame_channels)),
            lookahead=max((part.lookahead for part in parts), default=0),
            block=math.lcm(*(part.block for part in parts)),
            memory=max((part.memory for part in parts), default=0),
            frame_channels=max((part.frame_channels for part in parts), default=0),
            uses_history=any(part.uses_history for part in parts),
            context=max((part.memory for part in parts if part.uses_history), default=0),
        )

    def frames(self, samples: int) -> int:
        """Frames that so many samples need, the lookahead included."""
        return -(-samples // self.hop) + self.lookahead // self.hop
