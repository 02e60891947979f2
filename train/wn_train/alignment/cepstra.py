"""What the rounds of re-alignment listen to: mel cepstra and their slopes, every 5 ms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wn_runtime.features.mel import Mel, log_mel
from wn_train.alignment import ends

_WINDOW_S = 0.02
_LOW_HZ = 60.0
_BANDS, _COEFFICIENTS = 24, 13
_REACH = 2
"""Frames before and after, over which a slope is taken."""


def cepstra(audio: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Audio (T,) to (F, 26): 13 mel cepstra, the first of them the loudness, and their slopes."""
    hop = ends.hop(rate)
    window = max(2, hop, round(_WINDOW_S * rate))
    static = log_mel(audio, Mel(rate, hop, window, _BANDS, _LOW_HZ)) @ _cosines().T
    count = len(static)
    padded = np.pad(static, ((_REACH, _REACH), (0, 0)), "edge")
    slope = np.zeros_like(static)
    for k in range(1, _REACH + 1):
        slope += k * (padded[_REACH + k :][:count] - padded[_REACH - k :][:count])
    return np.concatenate([static, slope], axis=1)


def standardise(features: Sequence[NDArray[np.float32]], groups: Sequence[str]) -> None:
    """Bring (F, C) each to mean 0 and deviation 1 over its group: voices and rooms differ.

    It happens in place.
    """
    for group in dict.fromkeys(groups):
        its = [one for one, name in zip(features, groups, strict=True) if name == group]
        sums = np.zeros((2, its[0].shape[1]))
        for one in its:
            sums += [one.sum(axis=0, dtype=np.float64), (one.astype(np.float64) ** 2).sum(axis=0)]
        mean, square = sums / sum(map(len, its))
        for one in its:
            one -= mean.astype(np.float32)
            one /= np.sqrt(np.maximum(square - mean**2, 0) + 1e-6).astype(np.float32)


def _cosines() -> NDArray[np.float32]:
    """(13, 24): the orthonormal DCT-II."""
    k, n = np.arange(_COEFFICIENTS)[:, None], np.arange(_BANDS) + 0.5
    table = np.sqrt(np.where(k == 0, 1, 2) / _BANDS) * np.cos(np.pi * k * n / _BANDS)
    return np.asarray(table, np.float32)
