"""The layers of a WaveNet, each with its whole-sequence and its one-sample path side by side.

Tensors are channel-last. Weights are input-major (`x @ W`), as in the canonical file. A layer's
state is a value: the (k-1)*d newest inputs, oldest first, zero at the start of a stream.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize


class Pointwise(nn.Module):
    """A 1x1 convolution: y = x @ weight + bias on the last axis."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True, scale: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) * scale / inputs**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Inputs (..., inputs) -> outputs (..., outputs)."""
        return F.linear(x, self.weight.t(), self.bias)


class CausalConv(nn.Module):
    """A dilated causal convolution: y[t] = sum_j x[t - j*d] @ weight[j] + bias.

        x[t-2d] ... x[t-d] ... x[t]
    (k=3)  |           |         |
         W[2]        W[1]      W[0]      tap 0 is the current sample
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.kernel, self.dilation = kernel, dilation
        scale = 1 / (kernel * inputs) ** 0.5
        self.weight = nn.Parameter(torch.randn(kernel, inputs, outputs) * scale)
        self.bias = nn.Parameter(torch.zeros(outputs))

    @property
    def memory(self) -> int:
        """Rows of state: (k-1)*d."""
        return (self.kernel - 1) * self.dilation

    def forward(self, x: Tensor) -> Tensor:
        """Inputs (B, T, inputs) -> outputs (B, T, outputs)."""
        steps = x.shape[1]
        padded = F.pad(x, (0, 0, self.memory, 0))  # (B, (k-1)d + T, inputs), zeros before t=0
        starts = [self.memory - j * self.dilation for j in range(self.kernel)]
        return self._mix([padded[:, start : start + steps] for start in starts])

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """One sample: x (B, inputs), past (B, (k-1)d, inputs) -> y (B, outputs), new past."""
        window = torch.cat([past, x[:, None]], dim=1)  # (B, (k-1)d + 1, inputs)
        taps = [window[:, self.memory - j * self.dilation] for j in range(self.kernel)]
        return self._mix(taps), window[:, 1:]

    def initial_state(self, streams: int) -> Tensor:
        """The zero state, (B, (k-1)d, inputs)."""
        return self.weight.new_zeros(streams, self.memory, self.weight.shape[1])

    def _mix(self, taps: list[Tensor]) -> Tensor:
        """The taps x[t], x[t-d], ... through their weights, as one matrix product."""
        weight = self.weight.flatten(0, 1)  # (k*inputs, outputs)
        return F.linear(torch.cat(taps, dim=-1), weight.t(), self.bias)


class GatedLayer(nn.Module):
    """One residual layer (WaveNet, section 2.3): h, bias -> next h, and z for the skip sum."""

    def __init__(
        self, residual: int, gate: int, kernel: int, dilation: int, scale: float, last: bool
    ) -> None:
        super().__init__()
        self.gate = CausalConv(residual, gate, kernel, dilation)
        # Nothing follows the last layer's residual output, so it has none to train.
        self.residual = None if last else Pointwise(gate // 2, residual, scale=0.5)
        self.residual_scale = scale

    def forward(self, h: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """A sequence: h (B, T, R), bias (B, N, G) -> h_next (B, T, R), z (B, T, G/2).

        Each of the N rows of bias is held for T/N samples.
        """
        a = self.gate(h)
        if bias is None:
            return self._gate(a, h)
        if bias.shape[1] == 1:
            # In the bias's own type: of one sequence in bfloat16 the gradients of both biases are
            # one sum, and for two stores of it inductor (torch 2.13) writes wrong C++.
            return self._gate(a + bias, h)
        # Held rows are added as they are: spread over all samples they are most of what is moved.
        rows = a.unflatten(1, (bias.shape[1], -1)) + bias[:, :, None].to(a.dtype)
        return self._gate(rows.flatten(1, 2), h)

    def step(
        self, h: Tensor, bias: Tensor | None, past: Tensor
    ) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """One sample: h (B, R), bias (B, G), past (B, (k-1)d, R) -> (h_next, z (B, G/2)), past."""
        a, past = self.gate.step(h, past)
        return self._gate(a if bias is None else a + bias, h), past

    def initial_state(self, streams: int) -> Tensor:
        """The zero state, (B, (k-1)d, R)."""
        return self.gate.initial_state(streams)

    def _gate(self, a: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        filtered, gated = a.chunk(2, dim=-1)
        # In bfloat16 a CPU takes long for the sigmoid of halves of rows that are no whole number of
        # its vectors, and for a sum of two types. Copies that avoid both save a seventh of a step
        # of 32 channels, and cost nothing of 64 (python -m bench.training.speed).
        copies = a.dtype == torch.bfloat16 and a.device.type == "cpu"
        if copies:
            filtered, gated = filtered.contiguous(), gated.contiguous()
        z = torch.tanh(filtered) * torch.sigmoid(gated)
        if self.residual is None:
            return h, z
        more: Tensor = self.residual(z)
        following = (more.to(h.dtype) if copies else more) + h
        return (following if self.residual_scale == 1 else following * self.residual_scale), z


class WeightNorm(nn.Module):
    """w = g * v / |v| for each output channel, the last axis (Salimans and Kingma, 2016).

    Ours, because torch's keeps one axis only in the norm, and weights here are (k, in, out).
    """

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        """The weight of a length and a direction."""
        weight: Tensor = g * v / v.flatten(0, -2).norm(dim=0)
        return weight

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The length and direction that make up a weight."""
        return weight.flatten(0, -2).norm(dim=0), weight


def add_weight_norm(model: nn.Module) -> None:
    """Put every convolution of `model` under weight norm, in place, with its weights unchanged."""
    for module in list(model.modules()):
        if isinstance(module, (Pointwise, CausalConv)):
            parametrize.register_parametrization(module, "weight", WeightNorm())
