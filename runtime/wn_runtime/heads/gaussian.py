"""A Gaussian, or a mixture of them, over 16-bit samples (ClariNet, Ping et al. 2018, 3.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.heads.mixture import Doubles, Mixture

Terms = tuple[float, ...]
CENTRE: tuple[Terms, Terms] = (
    (59.109374720, 159.29113202, 50.434271938, 3.3871327179),
    (67.187563600, 78.757757664, 17.895169469, 1.0),
)
MIDDLE: tuple[Terms, Terms] = (
    (0.17023821103, 1.3067284816, 2.7568153900, 1.4234372777),
    (0.12021132975, 0.73700164250, 1.0),
)
TAIL: tuple[Terms, Terms] = (
    (0.017337203997, 0.42868294337, 3.0812263860, 6.6579051150),
    (0.012258202635, 0.24197894225, 1.0),
)
"""Numerators and denominators of PPND7, highest power first (Wichura, Algorithm AS 241, 1988)."""
_FAR = -30.0
"""Where erfc would soon underflow."""
_erfc = np.frompyfunc(math.erfc, 1, 1)


@dataclass(frozen=True)
class Gaussian(Mixture):
    """Components with the normal distribution function; their scale is the standard deviation."""

    components: int = 1

    kind: ClassVar[str] = "gaussian"

    def quantile(self, odd: NDArray[np.int32]) -> NDArray[np.float32]:
        """Wichura's PPND7: seven digits, monotone in u."""
        q = (odd - 2**24).astype(np.float32) / np.float32(2**25)  # u - 1/2
        near = q * _ratio(CENTRE, np.float32(0.180625) - q * q)
        tail = np.minimum(odd, 2**25 - odd).astype(np.float32)
        r = np.sqrt(-np.log(tail / np.float32(2**25)))
        far = np.where(r <= 5, _ratio(MIDDLE, r - np.float32(1.6)), _ratio(TAIL, r - np.float32(5)))
        y: NDArray[np.float32] = np.where(np.abs(q) <= np.float32(0.425), near, np.copysign(far, q))
        return y

    def log_mass(self, low: Doubles, high: Doubles) -> Doubles:
        """ln(Phi(high) - Phi(low)), in the tail that both lie in or lean to."""
        swap = low + high > 0
        near, far = np.where(swap, -low, high), np.where(swap, -high, low)
        top = log_cdf(near)
        with np.errstate(divide="ignore"):
            mass: Doubles = top + np.log(-np.expm1(np.minimum(log_cdf(far) - top, 0)))
        return mass


def log_cdf(x: Doubles) -> Doubles:
    """ln Phi(x): by erfc, and below -30 by its asymptotic series."""
    half = np.asarray(_erfc(np.abs(np.maximum(x, _FAR)) / math.sqrt(2)), np.float64) / 2
    below = np.minimum(x, _FAR)
    with np.errstate(over="ignore", invalid="ignore"):
        inverse = 1 / below**2
        series = np.log1p(-inverse * (1 - 3 * inverse * (1 - 5 * inverse)))
        far = -(below**2) / 2 - np.log(-below * math.sqrt(2 * math.pi)) + series
    near = np.where(x > 0, np.log1p(-half), np.log(np.maximum(half, 5e-324)))
    found: Doubles = np.where(x > _FAR, near, far)
    return found


def _ratio(terms: tuple[Terms, Terms], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """A quotient of polynomials."""
    return _polynomial(terms[0], x) / _polynomial(terms[1], x)


def _polynomial(terms: Terms, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """In float32, by Horner's rule."""
    total = np.full_like(x, terms[0])
    for term in terms[1:]:
        total = total * x + np.float32(term)
    return total
