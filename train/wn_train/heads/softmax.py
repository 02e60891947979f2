"""The softmax over mu-law classes (WaveNet, section 2.2)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from wn_runtime.heads.head import Head


def nll(_head: Head, params: Tensor, samples: Tensor) -> Tensor:
    """-log p of samples (B, T) int64 under logits (B, T, A): (B, T), in nats."""
    each = F.cross_entropy(params.flatten(0, 1), samples.flatten(), reduction="none")
    return each.view_as(samples)
