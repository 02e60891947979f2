"""The first causal convolution, on the samples before the one predicted."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wn_runtime.heads.head import Head


class InputConv(nn.Module):
    """y[t] = sum_j x[t-1-j] @ weight[j] + bias, x one-hot classes or amplitudes.

    It sees samples before t only: the one that is predicted never enters its own prediction.
    """

    def __init__(self, head: Head, kernel: int, outputs: int) -> None:
        super().__init__()
        self._head, self.kernel = head, kernel
        if head.codes is None:
            initial = torch.randn(kernel, 1, outputs) / math.sqrt(kernel)
        else:
            initial = _smooth_embedding(kernel, head.codes, outputs)
        self.weight = nn.Parameter(initial)  # (k0, A or 1, R), tap 0 = newest
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, samples: Tensor, earlier: Tensor | None = None) -> Tensor:
        """Samples (B, T), and the k0 before them (B, k0), silence where none -> y (B, T, R)."""
        steps = samples.shape[1]
        if earlier is None:
            before = F.pad(samples, (self.kernel, 0), value=self._head.silence)
        else:
            before = torch.cat([earlier, samples], dim=1)
        starts = [self.kernel - 1 - j for j in range(self.kernel)]  # of x[t-1-j]
        return self._mix([before[:, start : start + steps] for start in starts])

    def step(self, newest: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """One sample: newest (B,), past (B, k0-1) oldest first -> y (B, R), new past."""
        window = torch.cat([past, newest[:, None]], dim=1)  # (B, k0)
        return self._mix(list(window.unbind(1))[::-1]), window[:, 1:]

    def initial_state(self, streams: int) -> Tensor:
        """Silence, (B, k0-1)."""
        dtype = torch.int64 if self._head.codes is not None else torch.float32
        shape = (streams, self.kernel - 1)
        return torch.full(shape, self._head.silence, dtype=dtype, device=self.bias.device)

    def _mix(self, taps: list[Tensor]) -> Tensor:
        """Samples, newest first, through their weights: (..., R)."""
        h: Tensor = self.bias
        for j, samples in enumerate(taps):
            if self._head.codes is None:
                h = h + samples[..., None].to(self.weight.dtype) * self.weight[j, 0]
            else:
                h = h + F.embedding(samples, self.weight[j])
        return h


def _smooth_embedding(kernel: int, classes: int, outputs: int) -> Tensor:
    """(k0, A, R): random sinusoids over the classes, so that near amplitudes start out alike."""
    turns = torch.rand(kernel, 1, outputs) * 8
    phase = torch.rand(kernel, 1, outputs)
    amplitude = torch.linspace(0, 1, classes)[None, :, None]
    waves: Tensor = torch.sin(2 * math.pi * (turns * amplitude + phase))
    return waves / math.sqrt(kernel)
