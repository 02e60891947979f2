"""A conditioner of frames for tests of training: what a block depends on can be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from wn_runtime.conditioning.part import ConditionerPart
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_train.conditioning.part import ConditionerModule


@dataclass(frozen=True)
class Framed(ConditionerSpec):
    """A block's bias depends on all frames from `memory` before it to `lookahead` after it."""

    hop: int = 4
    block: int = 4
    memory: int = 0
    lookahead: int = 0
    frame_channels: int = 3

    kind: ClassVar[str] = "framed"

    @property
    def window(self) -> int:
        """Frames that a block depends on."""
        return (self.memory + self.block + self.lookahead) // self.hop

    def shapes(self, layers: int, gate_channels: int) -> dict[str, tuple[int, ...]]:
        shape = (self.window, self.frame_channels, layers, gate_channels)
        return {f"condition.framed{self.block}.weight": shape}

    def part(
        self, layers: int, gate_channels: int, weights: Mapping[str, NDArray[np.float32]]
    ) -> ConditionerPart:
        raise NotImplementedError


class FramedModule(ConditionerModule):
    def __init__(self, spec: Framed, layers: int, gate_channels: int) -> None:
        super().__init__()
        self._spec = spec
        shape = (spec.window, spec.frame_channels, layers, gate_channels)
        self.weight = nn.Parameter(torch.randn(shape) / 2)

    def forward(
        self, values: Mapping[str, Tensor], frames: Tensor | None, samples: Tensor
    ) -> Tensor:
        assert frames is not None
        spec = self._spec
        padded = F.pad(frames, (0, 0, spec.memory // spec.hop, 0))
        windows = padded.unfold(1, spec.window, spec.block // spec.hop)  # (B, N, C, window)
        assert windows.shape[1] * spec.block == samples.shape[1]
        bias: Tensor = torch.einsum("bncw,wclg->lbng", windows, self.weight)
        return bias
