"""Audio from a model in training, with `step`: for TensorBoard, not for speed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Conditioner, Values
from wn_runtime.conditioning.part import Frames
from wn_runtime.heads.head import inverse_temperatures
from wn_runtime.synthesis.conditioned import ConditionedBlocks
from wn_runtime.synthesis.uniforms import uniforms
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet


@torch.inference_mode()
def generate(
    model: WaveNet,
    conditions: Mapping[str, Values],
    streams: int,
    steps: int,
    seed: int = 0,
    frames: Frames | None = None,
) -> NDArray[np.float32]:
    """Audio (steps, B) of streams that start from silence. frames: (F, B, C), enough for them."""
    spec, head = model.spec, model.spec.output
    device = model.input.bias.device
    blocks = ConditionedBlocks(
        Conditioner(spec, canonical_weights(model, "the model in training")), spec, streams
    )
    blocks.reset(None, conditions)
    if frames is not None:
        blocks.push(frames, last=True)
    drawn = uniforms(seed, streams, steps, head.uniforms)
    params = np.empty((streams, head.params), np.float32)
    draw = head.drawer(params, inverse_temperatures(1.0, streams))
    samples = np.empty((steps, streams), head.sample_dtype)
    newest = np.full(streams, head.silence, head.sample_dtype)
    state = model.initial_state(streams)
    t = 0
    while t < steps:
        bias, count = blocks.next(steps - t)
        rows = None if bias is None else torch.from_numpy(bias).to(device)
        for i in range(count):
            row = None if rows is None else rows[i * len(rows) // count]
            known = torch.from_numpy(newest).to(device)
            found, state = model.step(known.long() if head.codes else known, row, state)
            params[:] = found.float().cpu().numpy()
            draw(drawn[t + i], newest)
            samples[t + i] = newest
        blocks.advance(samples[t : t + count])
        t += count
    return head.decode(samples)
