"""Frames of a recording: frame i tells of samples i*hop to (i+1)*hop, in a window centred there.

(Many tools centre frame i on its first sample, half a hop earlier.)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_AT_A_TIME = 1024
"""Windows: what is worked on in memory, whatever the recording's length."""


def frames_of(samples: int, hop: int) -> int:
    """Frames of so many samples: the last may reach beyond them."""
    return -(-samples // hop)


def windows(audio: NDArray[np.float32], hop: int, width: int) -> Iterator[NDArray[np.float32]]:
    """The windows (n, width) of all frames in turn; zeros beyond both ends."""
    before = width // 2 - hop // 2
    count = frames_of(len(audio), hop)
    if not count:
        return
    reach = (count - 1) * hop + width - max(before, 0)
    padded = np.pad(audio[max(-before, 0) :], (max(before, 0), max(0, reach - len(audio))))
    every = np.lib.stride_tricks.sliding_window_view(padded, width)[::hop][:count]
    for start in range(0, count, _AT_A_TIME):
        yield every[start : start + _AT_A_TIME]
