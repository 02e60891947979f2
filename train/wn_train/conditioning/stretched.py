"""Stretched frames over a whole sequence: see wn_runtime.conditioning.stretched."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wn_runtime.conditioning import stretched_weights as canonical
from wn_runtime.conditioning.frames import MOST_DEVIATIONS
from wn_runtime.conditioning.stretched import StretchedFrames
from wn_runtime.conditioning.stretched_weights import ENDED
from wn_train.conditioning.part import ConditionerModule


class StretchedModule(ConditionerModule):
    """The convolution, the stages and V of every layer; begins as plain repetition.

    Mean and scale are not fitted to the data: they are the ones that a model was trained with
    elsewhere.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, spec: StretchedFrames, layers: int, gate_channels: int) -> None:
        super().__init__()
        self._spec = spec
        self.register_buffer("mean", torch.zeros(spec.channels))
        self.register_buffer("scale", torch.ones(spec.channels))
        conv = torch.zeros(2 * spec.context + 1, spec.channels, spec.channels)
        conv[spec.context] = torch.eye(spec.channels)
        self.conv = nn.Parameter(conv)
        self.kernels = nn.ParameterList(_repeating(spec, i) for i in range(len(spec.scales)))
        self.biases = nn.ParameterList(torch.zeros(1) for _ in spec.scales)
        small = 0.1 / spec.channels**0.5
        self.weight = nn.Parameter(torch.randn(spec.channels, layers, gate_channels) * small)

    def forward(
        self, _values: Mapping[str, Tensor], frames: Tensor | None, samples: Tensor, /
    ) -> Tensor:
        """A row a sample, (L, B, T, G)."""
        assert frames is not None
        spec = self._spec
        given = frames[:, : samples.shape[1] // spec.hop + spec.beyond]
        y, inside = self._filled(given, (given[:, :, :1] < ENDED).to(given.dtype))
        c = F.conv1d(y.transpose(1, 2), self.conv.permute(2, 1, 0)).transpose(1, 2)
        c = c[:, spec.margin : c.shape[1] - spec.margin]  # (B, before + n + after, C)
        within = F.max_pool1d(inside.transpose(1, 2), 2 * spec.margin + 1, 1).transpose(1, 2)
        within = within[:, spec.context : within.shape[1] - spec.context]
        first = spec.levels[0]
        for i, level in enumerate(spec.levels):
            start = first.before * level.rows - level.before
            each = within.repeat_interleave(level.rows, dim=1)[:, start:][:, : c.shape[1]]
            c = self._stage(i, c * each)
            c = c[:, level.skip : c.shape[1] - level.drop]
        rows = c @ self.weight.flatten(1)  # (B, T, L·G)
        return rows.reshape(*rows.shape[:2], *self.weight.shape[1:]).permute(2, 0, 1, 3)

    def canonical(self) -> dict[str, Tensor]:
        """See `ConditionerModule.canonical`."""
        table = {
            canonical.MEAN: self.mean,
            canonical.SCALE: self.scale,
            canonical.CONV: self.conv,
        }
        for i, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True)):
            weight_name, bias_name = canonical.stage_names(i)
            table |= {weight_name: kernel, bias_name: bias}
        return {**table, canonical.WEIGHT: self.weight}

    def _filled(self, given: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised, with the first frame before the clip and the last beyond it: (B, M + F, C).

        And which of them are the clip's, (B, M + F, 1).
        """
        deviations = (given - self.mean) * self.scale
        y = deviations.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS) * own
        last = own.clone()
        last[:, :-1] *= 1 - own[:, 1:]
        y = y + (1 - own) * (last * y).sum(dim=1, keepdim=True)
        before = y[:, :1].expand(-1, self._spec.past, -1)
        outside = own.new_zeros(len(own), self._spec.past, 1)
        return torch.cat([before, y], dim=1), torch.cat([outside, own], dim=1)

    def _stage(self, index: int, c: Tensor) -> Tensor:
        """One stage: (B, n + back + ahead, C) -> (B, n·s, C)."""
        kernel, spec = self.kernels[index], self._spec  # (taps, s, frequency)
        planes = kernel.permute(1, 0, 2)[:, None]  # (s, 1, taps, frequency)
        a = F.conv2d(c[:, None], planes, padding=(0, spec.frequency // 2))  # (B, s, n, C)
        a = a.transpose(1, 2).flatten(1, 2) + self.biases[index]
        return a if spec.slope == 1 else F.leaky_relu(a, spec.slope)


def _repeating(spec: StretchedFrames, stage: int) -> Tensor:
    """The kernel that gives every row its own input, (taps, s, frequency)."""
    kernel = torch.zeros(spec.taps(stage), spec.scales[stage], spec.frequency)
    kernel[spec.back[stage], :, spec.frequency // 2] = 1
    return kernel
