"""mu-law companding that floors, as nnmnkwii and so r9y9/wavenet_vocoder quantise.

Of 256 classes silence is 127, and an amplitude's class is the one at or below it: up to a step from
the nearest, which `heads.mulaw` takes. What a class sounds like is the same in both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.heads import companding
from wn_runtime.heads.mulaw import decode

__all__ = ["decode", "encode", "silence"]


def silence(classes: int) -> int:
    """The class of amplitude 0."""
    return (classes - 1) // 2


def encode(audio: NDArray[np.floating[Any]], classes: int = 256) -> NDArray[np.int32]:
    """Samples in [-1, 1] (beyond: clipped) to classes 0 to A-1, rounded down."""
    mu = classes - 1
    y = companding.compressed(audio, mu)
    classes_of_x: NDArray[np.int32] = np.floor((y + 1) / 2 * mu).astype(np.int32)
    return classes_of_x
