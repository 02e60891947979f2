"""Mixtures over 16-bit samples: see wn_runtime.heads.mixture, which this is in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from wn_runtime.heads import pcm16
from wn_runtime.heads.head import Head
from wn_runtime.heads.mixture import LOG_SCALES, Mixture

LogMass = Callable[[Tensor, Tensor], Tensor]
"""(z, half), both in scales: ln of the mass from z - half to z + half."""
LogCdf = Callable[[Tensor], Tensor]
"""z: ln of the mass below it, in a symmetric distribution."""


def nll(head: Head, params: Tensor, samples: Tensor, log_mass: LogMass, log_cdf: LogCdf) -> Tensor:
    """-log p of amplitudes (B, T) under params (B, T, A): (B, T), in nats of the 16-bit sample."""
    mixture = cast(Mixture, head)
    m = mixture.components
    logits = params[..., :m] if m > 1 else torch.zeros_like(params[..., :1])
    means, log_scales = params[..., -2 * m : -m], params[..., -m:]
    inverse = torch.exp(-log_scales.clamp(mixture.min_log_scale, LOG_SCALES[1]))
    x = samples[..., None]
    z, half = (x - means) * inverse, pcm16.STEP / 2 * inverse
    mass = log_mass(z, half)
    mass = torch.where(x <= float(pcm16.LOWEST), log_cdf(z + half), mass)
    mass = torch.where(x >= float(pcm16.HIGHEST), log_cdf(half - z), mass)
    return -torch.logsumexp(F.log_softmax(logits, dim=-1) + mass, dim=-1)
