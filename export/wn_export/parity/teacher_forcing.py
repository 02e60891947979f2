"""The trained network on given samples, in PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_export.parity.expected import Clip
from wn_runtime.conditioning.conditioner import padded_frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.heads.head import Samples
from wn_train.data.chunks import encode
from wn_train.network.wavenet import WaveNet

CHUNK = 4096
"""Samples a forward pass: bounds its memory."""


@torch.inference_mode()
def condition(model: WaveNet, clip: Clip, start: int, stop: int) -> Tensor | None:
    """The gates' bias of a clip's samples from `start` to before `stop`, (L, 1, n or 1, G).

    Made of what lies that far back and no further: its rows take a hundred times as much as audio.
    """
    spec = model.spec
    timing = Timing.of(spec.conditioning)
    first = max(0, start - timing.memory) // timing.block * timing.block
    size = -(-(stop - first) // timing.block) * timing.block
    frames = None
    if timing.frame_channels:
        own = None if clip.frames is None else clip.frames[first // timing.hop :]
        needed = padded_frames(own, timing.frames(size), model.padding())  # (F, 1, C)
        frames = torch.from_numpy(needed.transpose(1, 0, 2).copy())
    samples = tensor_of(clip.samples[first : first + size], model, size)[None]
    rows = model.condition(samples, encode([dict(clip.conditions)], spec), frames)
    if rows is None or rows.shape[2] == 1:
        return rows
    return rows[:, :, start - first : stop - first]


@torch.inference_mode()
def score(model: WaveNet, clip: Clip) -> NDArray[np.float32]:
    """Params (T, A) of a clip from silence, in chunks that carry their receptive field."""
    count = len(clip.samples)
    known = tensor_of(clip.samples, model)[None]  # (1, T)
    parts = []
    for start in range(0, count, CHUNK):
        context, stop = min(start, model.spec.receptive_field), min(start + CHUNK, count)
        window = known[:, start - context : stop]
        rows = condition(model, clip, start - context, stop)
        parts.append(model.network(window, rows)[0, context:].float().numpy())
    return np.concatenate(parts)


def tensor_of(samples: Samples, model: WaveNet, size: int | None = None) -> Tensor:
    """Samples as the network takes them, silence up to `size`."""
    head = model.spec.output
    padded = np.full(size or len(samples), head.silence, head.sample_dtype)
    padded[: len(samples)] = samples
    tensor = torch.from_numpy(padded)
    return tensor if head.codes is None else tensor.long()
