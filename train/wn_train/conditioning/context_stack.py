"""A context stack over a whole sequence: see wn_runtime.conditioning.context_stack."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wn_runtime.conditioning import context_stack as canonical
from wn_runtime.conditioning.context_stack import ContextStack
from wn_train.conditioning.part import ConditionerModule
from wn_train.network.layers import CausalConv

SMALL = 0.3
"""Of the layers' weights at first: relus only add, and a deep stack of them would grow loud."""


class ContextModule(ConditionerModule):
    """The stack over all frames of history at once, a block late, and V of every layer."""

    def __init__(self, spec: ContextStack, layers: int, gate_channels: int) -> None:
        super().__init__()
        self._spec = spec
        width, taps = spec.channels, spec.filter_width
        self.wave: nn.Parameter | None = None
        if spec.classes:  # begins as classes lie, silence at 0: mu-law's are louder than they sound
            silence = spec.classes // 2
            self.wave = nn.Parameter((torch.arange(spec.classes) - silence) / max(1, silence))
        self.filter = nn.Parameter(torch.randn(taps, 1, width) * (2 / taps) ** 0.5)
        self.filter_bias = nn.Parameter(torch.zeros(width))
        layers_of = [CausalConv(width, width, spec.kernel, d) for d in spec.dilations]
        for layer in layers_of:
            layer.weight.data *= SMALL
        self.layers = nn.ModuleList(layers_of)
        # V times H, as Adam moves each weight by the learning rate whatever comes of it: h is
        # nowhere negative, so steps of H weights at once would drive every gate into saturation.
        self.weight = nn.Parameter(torch.randn(width, layers, gate_channels) * 0.1 * width**0.5)

    def forward(
        self, _values: Mapping[str, Tensor], _frames: Tensor | None, samples: Tensor, /
    ) -> Tensor:
        """A row a frame of history, (L, B, N, G); silence is the history of the first block."""
        spec = self._spec
        before = self._wave(samples)[:, : samples.shape[1] - spec.block]
        silence = self._wave(self._silence(samples))
        h = self._pooled(torch.cat([silence, before], dim=1))  # (B, N, H)
        for layer in self.layers:
            h = h + F.relu(layer(h))
        rows = h @ self._v().flatten(1)  # (B, N, L·G)
        return rows.reshape(*rows.shape[:2], *self.weight.shape[1:]).permute(2, 0, 1, 3)

    def canonical(self) -> dict[str, Tensor]:
        """See `ConditionerModule.canonical`."""
        table: dict[str, Tensor] = {} if self.wave is None else {canonical.WAVE: self.wave}
        table |= {canonical.FILTER: self.filter, canonical.FILTER_BIAS: self.filter_bias}
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, CausalConv)
            weight, bias = canonical.layer_names(i)
            table |= {weight: layer.weight, bias: layer.bias}
        return {**table, canonical.WEIGHT: self._v()}

    def _v(self) -> Tensor:
        """V (H, L, G)."""
        return self.weight / self._spec.channels

    def _silence(self, samples: Tensor) -> Tensor:
        """A block of it, (B, P), as the samples are."""
        shape = (samples.shape[0], self._spec.block)
        return samples.new_full(shape, self._spec.classes // 2)

    def _wave(self, samples: Tensor) -> Tensor:
        """Samples as amplitudes, (B, T)."""
        return samples.to(self.filter.dtype) if self.wave is None else self.wave[samples]

    def _pooled(self, wave: Tensor) -> Tensor:
        """The wave (B, T) through the filter, averaged: (B, T / pool, H)."""
        padded = F.pad(wave, (self._spec.filter_width - 1, 0))[:, None]
        kernel = self.filter.flip(0).permute(2, 1, 0)  # (H, 1, W), the oldest sample's tap first
        filtered = F.relu(F.conv1d(padded, kernel, self.filter_bias))  # (B, H, T)
        return F.avg_pool1d(filtered, self._spec.pool).transpose(1, 2)
