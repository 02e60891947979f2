"""The mixture of logistic distributions (PixelCNN++, Salimans et al. 2017)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from wn_runtime.heads.head import Head
from wn_train.heads import mixture


def nll(head: Head, params: Tensor, samples: Tensor) -> Tensor:
    """-log p of amplitudes (B, T) under params (B, T, A): (B, T), in nats."""
    return mixture.nll(head, params, samples, _log_mass, F.logsigmoid)


def _log_mass(z: Tensor, half: Tensor) -> Tensor:
    """ln F(high) + ln(1 - F(low)) + ln(1 - e^-width): nothing of it cancels."""
    inside = F.logsigmoid(z + half) + F.logsigmoid(half - z)
    return inside + torch.log(-torch.expm1(-2 * half))
