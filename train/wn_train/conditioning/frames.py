"""Local conditioning over a whole sequence: see wn_runtime.conditioning.frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wn_runtime.conditioning import frames as canonical
from wn_runtime.conditioning.frames import MOST_DEVIATIONS, LocalFrames
from wn_runtime.conditioning.part import Frames
from wn_train.conditioning.part import ConditionerModule
from wn_train.conditioning.statistics import statistics


class FrameConv(nn.Module):
    """A convolution over frames without padding: y[i] = sum_j x[i+j] @ weight[j] + bias."""

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        scale = (2 / (width * inputs)) ** 0.5  # a relu follows, which takes half of the power
        self.weight = nn.Parameter(torch.randn(width, inputs, outputs) * scale)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Inputs (B, F, inputs) -> outputs (B, F - width + 1, outputs)."""
        width = len(self.weight)
        count = x.shape[1] - width + 1
        taps = torch.cat([x[:, j : j + count] for j in range(width)], dim=-1)
        return F.linear(taps, self.weight.flatten(0, 1).t(), self.bias)


class LocalModule(ConditionerModule):
    """The frame network, its upsampling and V of every layer."""

    mean: Tensor
    scale: Tensor
    line: Tensor

    def __init__(self, spec: LocalFrames, layers: int, gate_channels: int) -> None:
        super().__init__()
        self._spec = spec
        self.register_buffer("mean", torch.zeros(spec.channels))
        self.register_buffer("scale", torch.ones(spec.channels))
        # Made anew from the spec: torch.device("meta") has no NumPy to take it from.
        line = (torch.arange(spec.rows) + 0.5) / spec.rows
        self.register_buffer("line", line, persistent=False)
        widths = [spec.channels, *[spec.hidden] * len(spec.kernels)]
        self.kernels = nn.ModuleList(
            FrameConv(inputs, spec.hidden, width)
            for inputs, width in zip(widths, spec.kernels, strict=False)
        )
        self.upsampling: nn.Parameter | None = None
        if spec.upsampling == "transposed":  # begins as repetition: y[i] itself in every row
            repeated = torch.eye(spec.hidden).expand(spec.rows, -1, -1)
            others = [torch.zeros_like(repeated)] * (spec.taps - 1)
            self.upsampling = nn.Parameter(torch.cat([repeated, *others]))
        small = 0.1 / spec.hidden**0.5
        self.weight = nn.Parameter(torch.randn(spec.hidden, layers, gate_channels) * small)

    def fit(self, clips: Sequence[Frames]) -> None:
        """See `ConditionerModule.fit`: each channel's mean and deviation."""
        mean, scale = statistics(clips)
        self.mean.copy_(torch.from_numpy(mean))
        self.scale.copy_(torch.from_numpy(scale))

    def forward(
        self, _values: Mapping[str, Tensor], frames: Tensor | None, samples: Tensor, /
    ) -> Tensor:
        """R rows a frame, (L, B, N, G)."""
        assert frames is not None
        spec = self._spec
        count = samples.shape[1] // spec.hop
        y = (frames[:, : count + spec.ahead] - self.mean) * self.scale
        y = F.pad(y.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS), (0, 0, spec.past, 0))
        for kernel in self.kernels:
            y = F.relu(kernel(y))
        rows = self._upsampled(y) @ self.weight.flatten(1)  # (B, N, L·G)
        return rows.reshape(*rows.shape[:2], *self.weight.shape[1:]).permute(2, 0, 1, 3)

    def _upsampled(self, y: Tensor) -> Tensor:
        """y (B, n, H), and the frames that upsampling sees -> (B, n·R, H)."""
        if self.upsampling is not None:
            taps = self.upsampling.reshape(self._spec.taps, -1, *self.upsampling.shape[1:])
            last = len(taps) - 1
            count = y.shape[1] - last
            each = torch.einsum("bnh,rhk->bnrk", y[:, last:], taps[0])
            for tap in range(1, len(taps)):
                earlier = y[:, last - tap :][:, :count]
                each = each + torch.einsum("bnh,rhk->bnrk", earlier, taps[tap])
            return each.flatten(1, 2)
        if self._spec.upsampling == "repeat":
            return y
        first, second = y[:, :-1, None], y[:, 1:, None]
        return (first + self.line[:, None] * (second - first)).flatten(1, 2)

    def canonical(self) -> dict[str, Tensor]:
        """See `ConditionerModule.canonical`."""
        table = {canonical.MEAN: self.mean, canonical.SCALE: self.scale}
        for i, kernel in enumerate(self.kernels):
            assert isinstance(kernel, FrameConv)
            weight, bias = canonical.kernel_names(i)
            table |= {weight: kernel.weight, bias: kernel.bias}
        if self.upsampling is not None:
            table[canonical.UPSAMPLING] = self.upsampling
        return {**table, canonical.WEIGHT: self.weight}
