"""Noise in what a network hears of its past while it trains, never in what it is to predict.

A network that only ever saw recordings before a sample has not met its own errors, which is what
it goes on from when it generates: a little wrong, it goes further wrong. With noise of a strength
drawn anew for each window it learns to find back (LPCNet trains so: Valin and Skoglund, 2019).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from wn_runtime.heads import companding
from wn_runtime.heads.head import Head

MU = 255


def heard(samples: Tensor, head: Head, most: float, rng: np.random.Generator) -> Tensor:
    """Windows (B, T) with white noise, each of a deviation between 0 and `most`.

    most: in classes of 8-bit mu-law, whatever the head's own are: noise that is to loud and soft
    sounds in proportion, as an error of prediction is.
    """
    audio = head.decode(samples.numpy().astype(head.sample_dtype))
    deviation = rng.uniform(0, most, (len(audio), 1)) * 2 / MU
    curve = companding.compressed(audio, MU) + deviation * rng.standard_normal(audio.shape)
    noisy = head.encode(companding.expanded(np.clip(curve, -1, 1), MU))
    return torch.from_numpy(noisy).to(samples.dtype)
