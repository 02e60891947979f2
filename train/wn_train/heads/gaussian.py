"""The Gaussian and mixtures of them (ClariNet, Ping et al. 2018, section 3.1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wn_runtime.heads.head import Head
from wn_train.heads import mixture

NARROW = 0.02
"""Half a bin, in scales, below which the density is all but exponential in it."""
TAIL = 10.0
"""Scales from the mean, beyond which PyTorch's log_ndtr loses its gradient in float32."""


def nll(head: Head, params: Tensor, samples: Tensor) -> Tensor:
    """-log p of amplitudes (B, T) under params (B, T, A): (B, T), in nats."""
    return mixture.nll(head, params, samples, _log_mass, _log_cdf)


def _log_mass(z: Tensor, half: Tensor) -> Tensor:
    """ln(Phi(z + half) - Phi(z - half)), z mirrored to be above 0 and the bin below it.

    In float32 the difference of two nearby Phi would cancel: in narrow bins the density's integral
    is that of e^(-z^2/2 - z y - y^2/2) over y, whose last term is worth half^2 / 6 or less.
    """
    z = z.abs()
    narrow = half < NARROW
    wide = torch.where(narrow, NARROW, half)
    tail = z - wide > TAIL
    near, far = torch.where(tail, 0.0, wide - z), (-wide - z).clamp(min=-3 * TAIL)
    top = torch.special.log_ndtr(near)
    middle = top + torch.log(-torch.expm1(torch.special.log_ndtr(far) - top))
    outside = torch.where(tail, z, 2 * TAIL + wide)
    return torch.where(narrow, _thin(z, half), torch.where(tail, _tail(outside, wide), middle))


def _thin(z: Tensor, half: Tensor) -> Tensor:
    """Of a narrow bin: its width times the density, times sinh(z half) / (z half)."""
    density = -(z**2) / 2 - math.log(2 * math.pi) / 2
    w = z * half
    large = torch.clamp(w, min=0.1)
    exact = large + torch.log(-torch.expm1(-2 * large)) - torch.log(2 * large)
    sinhc = torch.where(w < 0.1, w**2 / 6 - w**4 / 180, exact)
    return density + torch.log(2 * half) + sinhc - half**2 / 6


def _tail(z: Tensor, half: Tensor) -> Tensor:
    """Of a wide bin far out: Phi of its near edge, less the part that its far edge cuts off."""
    near, far = z - half, z + half
    rest = near / far * torch.exp(_series(far) - _series(near) - 2 * half * z)
    return _log_cdf_below(-near) + torch.log1p(-rest)


def _log_cdf(z: Tensor) -> Tensor:
    """ln Phi(z)."""
    below = torch.clamp(z, max=-TAIL)
    return torch.where(z < -TAIL, _log_cdf_below(below), torch.special.log_ndtr(z.clamp(min=-TAIL)))


def _log_cdf_below(z: Tensor) -> Tensor:
    """ln Phi(z) of z <= -10, by the asymptotic series."""
    return -(z**2) / 2 - torch.log(-z * math.sqrt(2 * math.pi)) + _series(z)


def _series(z: Tensor) -> Tensor:
    inverse = 1 / z**2
    return torch.log1p(-inverse * (1 - 3 * inverse * (1 - 5 * inverse)))
