"""How loud a recording is, frame by frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wn_runtime.features.windows import windows

FLOOR = 1e-5
"""Of full scale, -100 dB: what is quieter counts as this."""


def log_level(audio: NDArray[np.float32], hop: int, window: int) -> NDArray[np.float32]:
    """Audio (T,) to (ceil(T / hop),): ln of the root mean square of each window."""
    parts = [
        np.sqrt(np.mean(part.astype(np.float64) ** 2, axis=1))
        for part in windows(audio, hop, window)
    ]
    joined = np.concatenate(parts) if parts else np.empty(0)
    level: NDArray[np.float32] = np.log(np.maximum(joined, FLOOR)).astype(np.float32)
    return level
