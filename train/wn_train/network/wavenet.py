"""The WaveNet: `forward` over a whole sequence and `step` for one sample, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wn_runtime.model.spec import ModelSpec
from wn_train.network.layers import GatedLayer, Pointwise, add_weight_norm


@dataclass(frozen=True)
class State:
    """What `step` carries from one sample to the next."""

    samples: Tensor
    """(B, k0-1) classes before the newest, oldest first."""
    layers: tuple[Tensor, ...]
    """Per layer (B, (k-1)d, R): its newest inputs, oldest first."""


class WaveNet(nn.Module):
    """Predicts each sample's class from those before it (van den Oord et al., 2016).

    `forward` and `step` obey the streaming law: T calls of `step`, state passed as a value, give
    the logits of one `forward` over the T samples.
    """

    def __init__(self, spec: ModelSpec, weight_norm: bool = False) -> None:
        super().__init__()
        self.spec = spec
        self.input_weight = nn.Parameter(_smooth_embedding(spec))  # (k0, A, R)
        self.input_bias = nn.Parameter(torch.zeros(spec.residual))
        self.layers = nn.ModuleList(
            GatedLayer(
                spec.residual, spec.gate, spec.kernel, dilation, spec.residual_scale,
                last=i == spec.layers - 1,
            )
            for i, dilation in enumerate(spec.dilations)
        )  # fmt: skip
        # All layers' skip convolutions as one product over the concatenated z: row block l is
        # layer l's own weight.
        self.skip = Pointwise(spec.layers * spec.gate // 2, spec.skip)
        self.head = nn.ModuleList(
            [Pointwise(spec.skip, spec.head), Pointwise(spec.head, spec.classes, scale=0.1)]
        )
        self.conditions = nn.ParameterDict(
            {c.name: torch.zeros(len(c.values), spec.layers, spec.gate) for c in spec.conditions}
        )
        if weight_norm:
            add_weight_norm(self)

    def forward(self, samples: Tensor, conditions: Mapping[str, Tensor] | None = None) -> Tensor:
        """Logits of every sample of a sequence that starts from the zero state.

        samples (B, T) int: classes 0 to A-1. conditions: see `condition_bias`.
        Returns (B, T, A) logits; those at t have seen the samples before t only.
        """
        before = F.pad(samples, (self.spec.input_kernel, 0), value=self.spec.silence)
        steps = samples.shape[1]
        taps = [
            before[:, self.spec.input_kernel - 1 - j :][:, :steps]  # x[t-1-j]
            for j in range(self.spec.input_kernel)
        ]
        h = self._embed(taps)  # (B, T, R)
        bias = self.condition_bias(conditions or {}, samples.shape[0])
        zs = []
        for i, layer in enumerate(self.layers):
            h, z = layer(h, None if bias is None else bias[i][:, None])
            zs.append(z)
        return self._head(zs)

    def step(
        self, sample: Tensor, conditions: Mapping[str, Tensor] | None, state: State
    ) -> tuple[Tensor, State]:
        """One sample: the newest known class (B,) -> logits (B, A) of the next, new state."""
        window = torch.cat([state.samples, sample[:, None]], dim=1)  # (B, k0)
        h = self._embed(list(window.unbind(1))[::-1])  # (B, R), newest first
        bias = self.condition_bias(conditions or {}, sample.shape[0])
        zs, pasts = [], []
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, GatedLayer)
            (h, z), past = layer.step(h, None if bias is None else bias[i], state.layers[i])
            zs.append(z)
            pasts.append(past)
        return self._head(zs), State(window[:, 1:], tuple(pasts))

    def initial_state(self, streams: int) -> State:
        """The state of `streams` streams that have heard silence only."""
        silence = torch.full((streams, self.spec.input_kernel - 1), self.spec.silence)
        layers = []
        for layer in self.layers:
            assert isinstance(layer, GatedLayer)
            layers.append(layer.initial_state(streams))
        return State(silence, tuple(layers))

    def condition_bias(self, conditions: Mapping[str, Tensor], streams: int) -> Tensor | None:
        """V·h of every layer's gate, (L, B, G); None for a model without conditions.

        conditions by name: categorical (B,) int, -1 for none; tags (B, n) float, multi-hot. A
        condition that is not given adds nothing.
        """
        if not self.spec.conditions:
            return None
        total = self.input_bias.new_zeros(streams, self.spec.layers, self.spec.gate)
        for condition in self.spec.conditions:
            value = conditions.get(condition.name)
            if value is None:
                continue
            table = self.conditions[condition.name]  # (n, L, G)
            if condition.kind == "categorical":
                given = (value >= 0).to(table.dtype)[:, None, None]
                total = total + table[value.clamp(min=0)] * given
            else:
                total = total + torch.einsum("bn,nlg->blg", value.to(table.dtype), table)
        return total.transpose(0, 1)

    def _embed(self, taps: list[Tensor]) -> Tensor:
        """One-hot classes, newest first, through the first causal convolution: (..., R)."""
        h: Tensor = self.input_bias
        for j, classes in enumerate(taps):
            h = h + F.embedding(classes, self.input_weight[j])
        return h

    def _head(self, zs: list[Tensor]) -> Tensor:
        y = F.relu(self.skip(torch.cat(zs, dim=-1)))  # (..., S)
        logits: Tensor = self.head[1](F.relu(self.head[0](y)))
        return logits


def _smooth_embedding(spec: ModelSpec) -> Tensor:
    """(k0, A, R): random sinusoids over the classes, so that near amplitudes start out alike."""
    turns = torch.rand(spec.input_kernel, 1, spec.residual) * 8
    phase = torch.rand(spec.input_kernel, 1, spec.residual)
    amplitude = torch.linspace(0, 1, spec.classes)[None, :, None]
    waves: Tensor = torch.sin(2 * math.pi * (turns * amplitude + phase))
    return waves / math.sqrt(spec.input_kernel)
