"""Sound of one rate at another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime import installation
from wn_runtime.errors import WavestepError


def resampled(mono: NDArray[np.float32], source: int, rate: int) -> NDArray[np.float32]:
    """Samples (T,) of one rate at another, both in Hz.

    Raises ValueError where that leaves none, or they are too loud; WavestepError without soxr.
    """
    soxr = needed(source, rate)
    try:
        found: NDArray[np.float32] = soxr.resample(mono, source, rate, quality="HQ")
    except RuntimeError as error:
        raise ValueError(f"cannot be resampled from {source} to {rate} Hz ({error})") from error
    if not len(found) or not np.isfinite(found).all():
        raise ValueError(f"too short or too loud to be resampled to {rate} Hz")
    return found


def needed(source: int, rate: int) -> Any:
    """The library that does it. Raises WavestepError without it."""
    try:
        import soxr
    except ImportError as error:
        raise WavestepError(
            f"sound of {source} Hz is wanted at {rate} Hz, and soxr is not installed; convert it, "
            f"or {installation.pip('soxr')}"
        ) from error
    return soxr
