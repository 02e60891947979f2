"""Every combination of what stretched frames can be, small; and frames for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.stretched import StretchedFrames
from wn_runtime.conditioning.timing import Timing

CHANNELS = 5

EVERY = {
    "plain": StretchedFrames(CHANNELS, (3, 2), (1, 1), (1, 1)),
    "context": StretchedFrames(CHANNELS, (2, 2, 3), (1, 1, 1), (1, 1, 1), context=2),
    "frequency": StretchedFrames(CHANNELS, (4, 2), (1, 1), (1, 1), context=1, frequency=3),
    "activation": StretchedFrames(CHANNELS, (2, 3), (1, 1), (1, 1), slope=0.4),
    "margin": StretchedFrames(CHANNELS, (2, 3), (1, 1), (1, 1), margin=2),
    "own row alone": StretchedFrames(CHANNELS, (4, 2), (0, 0), (0, 0), frequency=3, slope=0.0),
    "a sample late": StretchedFrames(CHANNELS, (3, 2), (1, 2), (1, 1), context=1),
    "one stage": StretchedFrames(CHANNELS, (6,), (1,), (0,)),
}


def frames_for(
    spec: StretchedFrames, samples: int, streams: int = 1, seed: int = 0
) -> NDArray[np.float32]:
    """Frames (F, B, C) of so many samples and the lookahead, none of them beyond the end."""
    shape = (Timing.of([spec]).frames(samples), streams, spec.channels)
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
