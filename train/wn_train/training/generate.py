"""Audio from a model in training, with `step`: for TensorBoard, not for speed."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_runtime.heads import mulaw
from wn_runtime.synthesis.sampling import CategoricalSampler, Uniforms
from wn_train.network.wavenet import WaveNet


@torch.inference_mode()
def generate(
    model: WaveNet, conditions: dict[str, Tensor], streams: int, steps: int, seed: int = 0
) -> NDArray[np.float32]:
    """Audio (steps, B) of streams that start from silence."""
    spec = model.spec
    device = model.input_bias.device
    uniforms = Uniforms(seed, streams).draw(steps)
    sampler = CategoricalSampler(streams, spec.classes, temperature=1.0)
    codes = np.empty((steps, streams), np.int64)
    newest = torch.full((streams,), spec.silence, device=device)
    state = model.initial_state(streams)
    for t in range(steps):
        logits, state = model.step(newest, conditions, state)
        sampler(logits.float().cpu().numpy(), uniforms[t], codes[t])
        newest = torch.from_numpy(codes[t]).to(device)
    return mulaw.decode(codes, spec.classes)
