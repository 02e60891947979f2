"""A mixture of logistic distributions over 16-bit samples (PixelCNN++; Parallel WaveNet, 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.heads.mixture import Doubles, Mixture


@dataclass(frozen=True)
class Logistic(Mixture):
    """Components with the distribution function 1 / (1 + e^-y)."""

    kind: ClassVar[str] = "logistic"

    def quantile(self, odd: NDArray[np.int32]) -> NDArray[np.float32]:
        """ln(u / (1 - u)), from a quotient that every language rounds alike."""
        ratio = odd.astype(np.float32) / (2**25 - odd).astype(np.float32)
        y: NDArray[np.float32] = np.log(ratio)
        return y

    def log_mass(self, low: Doubles, high: Doubles) -> Doubles:
        """ln F(high) + ln(1 - F(low)) + ln(1 - e^(low - high)): nothing of it cancels."""
        inside = -np.logaddexp(0, -high) - np.logaddexp(0, low)
        mass: Doubles = inside + np.log(-np.expm1(low - high))
        return mass
