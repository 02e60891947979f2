"""mu-law companding with A classes (ITU-T G.711's curve with mu = A - 1; WaveNet, section 2.2)."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.heads import companding


def silence(classes: int) -> int:
    """The class of amplitude 0."""
    return classes // 2


def encode(audio: NDArray[np.floating[Any]], classes: int = 256) -> NDArray[np.int32]:
    """Samples in [-1, 1] (beyond: clipped) to classes 0 to A-1, nearest; 0.0 gives A//2."""
    mu = classes - 1
    y = companding.compressed(audio, mu)
    classes_of_x: NDArray[np.int32] = np.floor((y + 1) / 2 * mu + 0.5).astype(np.int32)
    return classes_of_x


@functools.lru_cache
def decode_table(classes: int = 256) -> NDArray[np.float32]:
    """The sample value of every class, (A,) float32 in [-1, 1]; not to be written to."""
    mu = classes - 1
    y = 2 * np.arange(classes, dtype=np.float64) / mu - 1
    table: NDArray[np.float32] = companding.expanded(y, mu).astype(np.float32)
    table.flags.writeable = False
    return table


def decode(codes: NDArray[np.integer[Any]], classes: int = 256) -> NDArray[np.float32]:
    """Classes 0 to A-1 to samples in [-1, 1], float32. `decode(encode(x))` is nearest to x."""
    samples: NDArray[np.float32] = decode_table(classes)[codes]
    return samples
