"""Every combination of what a frame network can be, small; and frames for it."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.timing import Timing

CHANNELS, HOP = 3, 12
KERNELS: tuple[tuple[int, ...], ...] = ((), (1,), (3,), (5, 3))
HOLDS = {"repeat": (12,), "linear": (12, 4, 1), "transposed": (12, 6, 1)}

EVERY = [
    LocalFrames(CHANNELS, HOP, 5 if kernels else CHANNELS, kernels, causal, upsampling, hold)
    for kernels, causal in itertools.product(KERNELS, (False, True))
    for upsampling, holds in HOLDS.items()
    for hold in holds
]


def named(spec: LocalFrames) -> str:
    """A test's name of it."""
    widths = "x".join(map(str, spec.kernels)) or "none"
    return f"{widths}-{'causal' if spec.causal else 'centred'}-{spec.upsampling}{spec.hold}"


def frames_for(
    spec: LocalFrames, samples: int, streams: int = 1, seed: int = 0
) -> NDArray[np.float32]:
    """Frames (F, B, C) of so many samples and the lookahead."""
    shape = (Timing.of([spec]).frames(samples), streams, spec.channels)
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
