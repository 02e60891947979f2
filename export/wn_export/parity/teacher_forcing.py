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
def condition(model: WaveNet, clip: Clip) -> Tensor | None:
    """The gates' bias of every sample of a clip, (L, 1, T or 1, G)."""
    spec = model.spec
    timing = Timing.of(spec.conditioning)
    size = -(-len(clip.samples) // timing.block) * timing.block
    frames = None
    if timing.frame_channels:
        needed = padded_frames(clip.frames, timing.frames(size), model.padding())  # (F, 1, C)
        frames = torch.from_numpy(needed.transpose(1, 0, 2).copy())
    samples = tensor_of(clip.samples, model, size)[None]
    return model.condition(samples, encode([dict(clip.conditions)], spec), frames)


@torch.inference_mode()
def score(model: WaveNet, samples: Samples, bias: Tensor | None) -> NDArray[np.float32]:
    """Params (T, A) of samples (T,) from silence, in chunks that carry their receptive field."""
    known = tensor_of(samples, model)[None]  # (1, T)
    parts = []
    for start in range(0, len(samples), CHUNK):
        context = min(start, model.spec.receptive_field)
        window = known[:, start - context : start + CHUNK]
        rows = bias
        if bias is not None and bias.shape[2] > 1:
            rows = bias[:, :, start - context :][:, :, : window.shape[1]]
        parts.append(model.network(window, rows)[0, context:].float().numpy())
    return np.concatenate(parts)


def tensor_of(samples: Samples, model: WaveNet, size: int | None = None) -> Tensor:
    """Samples as the network takes them, silence up to `size`."""
    head = model.spec.output
    padded = np.full(size or len(samples), head.silence, head.sample_dtype)
    padded[: len(samples)] = samples
    tensor = torch.from_numpy(padded)
    return tensor if head.codes is None else tensor.long()
