"""The WaveNet: `forward` over a whole sequence and `step` for one sample, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from wn_runtime.conditioning.part import Frames
from wn_runtime.model.spec import ModelSpec
from wn_train.conditioning.part import ConditionerModule
from wn_train.conditioning.registry import module_of
from wn_train.network.input import InputConv
from wn_train.network.layers import GatedLayer, Pointwise, add_weight_norm


@dataclass(frozen=True)
class NetworkState:
    """What `step` carries from one sample to the next."""

    samples: Tensor
    """(B, k0-1) before the newest, oldest first."""
    layers: tuple[Tensor, ...]
    """Per layer (B, (k-1)d, R): its newest inputs, oldest first."""


class WaveNet(nn.Module):
    """Predicts each sample's distribution from those before it (van den Oord et al., 2016).

    `network` and `step` obey the streaming law: T calls of `step`, state passed as a value, give
    the params of one `network` over the T samples. The gates' bias comes from `condition`, for all
    samples at once; streamed, it comes from the runtime's conditioner.
    """

    def __init__(self, spec: ModelSpec, weight_norm: bool = False) -> None:
        super().__init__()
        self.spec = spec
        residual, gate = spec.residual_channels, spec.gate_channels
        self.input = InputConv(spec.output, spec.input_kernel, residual)
        last, scale = spec.layers - 1, spec.residual_scale
        self.layers = nn.ModuleList(
            GatedLayer(residual, gate, spec.kernel, dilation, scale, last=i == last)
            for i, dilation in enumerate(spec.dilations)
        )
        # All layers' skip convolutions as one product over the concatenated z: row block l is
        # layer l's own weight.
        self.skip = Pointwise(spec.layers * gate // 2, spec.skip_channels)
        hidden = Pointwise(spec.skip_channels, spec.head_channels)
        self.head = nn.ModuleList(
            [hidden, Pointwise(spec.head_channels, spec.output.params, scale=0.1)]
        )
        self.conditioners = nn.ModuleList(
            module_of(conditioner, spec.layers, gate) for conditioner in spec.conditioning
        )
        if weight_norm:
            add_weight_norm(self)

    def forward(
        self,
        samples: Tensor,
        values: Mapping[str, Tensor] | None = None,
        frames: Tensor | None = None,
        memory: int = 0,
    ) -> Tensor:
        """Params of every sample of a sequence that starts from the zero state.

        samples (B, T) of the head's kind. values, frames: see `ConditionerModule.forward`.
        memory: samples at the front, whole blocks, that only the conditioning reads. Returns
        (B, T - memory, A); those at t have seen the samples before t only.
        """
        rows = self._bias(samples, values, frames)
        if rows is not None and rows.shape[2] > 1:
            rows = rows[:, :, memory * rows.shape[2] // samples.shape[1] :]
        return self.network(samples[:, memory:], rows)

    def condition(
        self,
        samples: Tensor,
        values: Mapping[str, Tensor] | None = None,
        frames: Tensor | None = None,
    ) -> Tensor | None:
        """The gates' bias of every sample, (L, B, T or 1, G); None for a model without."""
        rows = self._bias(samples, values, frames)
        if rows is None or rows.shape[2] == 1:
            return rows
        return rows.repeat_interleave(samples.shape[1] // rows.shape[2], dim=2)

    def _bias(
        self, samples: Tensor, values: Mapping[str, Tensor] | None, frames: Tensor | None
    ) -> Tensor | None:
        """The gates' bias, (L, B, N, G), a row for every T/N samples; None for a model without."""
        total: Tensor | None = None
        for conditioner in self.conditioners:
            assert isinstance(conditioner, ConditionerModule)
            bias = conditioner(values or {}, frames, samples)  # (L, B, N, G)
            total = bias if total is None else _sum_of_rows(total, bias)
        return total

    def fit(self, clips: Sequence[Frames]) -> None:
        """Show the conditioners the training split's frames, (F, C) a clip, before training."""
        for conditioner in self.conditioners:
            assert isinstance(conditioner, ConditionerModule)
            conditioner.fit(clips)

    def padding(self) -> NDArray[np.float32]:
        """The frame (C,) that stands beyond a clip's own; see `ConditionerSpec.padding`."""
        for part, conditioner in zip(self.spec.conditioning, self.conditioners, strict=True):
            if part.frame_channels:
                assert isinstance(conditioner, ConditionerModule)
                table = conditioner.canonical().items()
                return part.padding({k: v.detach().float().cpu().numpy() for k, v in table})
        return np.zeros(0, np.float32)

    def network(
        self, samples: Tensor, bias: Tensor | None, earlier: Tensor | None = None
    ) -> Tensor:
        """Params (B, T, A) of samples (B, T) under a bias (L, B, N, G): a row is T/N samples'.

        earlier (B, k0): the samples before the first, silence by default.
        """
        h = self.input(samples, earlier)  # (B, T, R)
        # Not bias[i]: the gradient of each index would be zeros for all layers.
        each: Sequence[Tensor | None] = [None] * self.spec.layers if bias is None else bias.unbind()
        zs = []
        for layer, own in zip(self.layers, each, strict=True):
            h, z = layer(h, own)
            zs.append(z)
        return self._head(zs)

    def step(
        self, sample: Tensor, bias: Tensor | None, state: NetworkState
    ) -> tuple[Tensor, NetworkState]:
        """One sample: the newest known (B,), the bias (L, B, G) -> params (B, A), new state."""
        h, window = self.input.step(sample, state.samples)  # (B, R)
        zs, pasts = [], []
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, GatedLayer)
            (h, z), past = layer.step(h, None if bias is None else bias[i], state.layers[i])
            zs.append(z)
            pasts.append(past)
        return self._head(zs), NetworkState(window, tuple(pasts))

    def initial_state(self, streams: int) -> NetworkState:
        """The state of `streams` streams before their first sample."""
        layers = []
        for layer in self.layers:
            assert isinstance(layer, GatedLayer)
            layers.append(layer.initial_state(streams))
        return NetworkState(self.input.initial_state(streams), tuple(layers))

    def _head(self, zs: list[Tensor]) -> Tensor:
        y = F.relu(self.skip(torch.cat(zs, dim=-1)))  # (..., S)
        params: Tensor = self.head[1](F.relu(self.head[0](y)))
        return params


def _sum_of_rows(one: Tensor, other: Tensor) -> Tensor:
    """Biases (L, B, N, G) of different N as one with the fewest rows that tell both."""
    rows = math.lcm(one.shape[2], other.shape[2])

    def spread(bias: Tensor) -> Tensor:
        same = bias.shape[2] in (1, rows)
        return bias if same else bias.repeat_interleave(rows // bias.shape[2], dim=2)

    return spread(one) + spread(other)
