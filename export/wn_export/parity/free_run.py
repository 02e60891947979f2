"""What PyTorch generates from silence: the sample-for-sample reference of every engine."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from wn_export.parity.blocks import BLOCK, conditioned
from wn_export.parity.expected import Clip, Conditions, FreeRun
from wn_export.parity.teacher_forcing import score, tensor_of
from wn_export.parity.trained import Trained
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.part import Frames
from wn_runtime.engines.engine import Engine
from wn_runtime.heads.head import Samples, inverse_temperatures
from wn_runtime.synthesis.conditioned import ConditionedBlocks
from wn_runtime.synthesis.uniforms import uniforms

FREE_SECONDS = 2.0
REPAIRS = 8
"""Drafts before a free run is made with `WaveNet.step`, hundreds of times slower."""


def free_run(
    trained: Trained,
    conditions: Conditions,
    frames: Frames | None,
    steps: int,
    draft: Engine,
    seed: int,
) -> FreeRun:
    """What PyTorch generates, found quickly: a draft by an engine, every sample of it judged.

    PyTorch scores the whole draft in one pass, and each sample is drawn again from its params
    with the same uniforms. A draft that comes back unchanged is, sample by sample, what PyTorch
    draws after what it has drawn: its own free run, whoever proposed it. At the first sample
    that does not, PyTorch's takes its place and the rest is drafted anew. Where samples are
    amplitudes, each may come back a rounding apart: PyTorch itself rounds otherwise for another
    number of samples at a time.
    """
    model, head = trained.model, trained.model.spec.output
    drawn = uniforms(seed, 1, steps, head.uniforms)  # (T, 1, U)
    samples = np.full(steps, head.silence, head.sample_dtype)
    settled = 0
    for _ in range(REPAIRS):
        clip = Clip(samples, conditions, frames)
        samples = _drafted(trained, clip, settled, drawn, draft)
        clip = Clip(samples, conditions, frames)
        judged = _draw(trained, score(model, clip), drawn)
        wrong = np.flatnonzero(abs(judged - samples) > head.rounding)
        if not len(wrong):
            return FreeRun(clip, seed)
        settled = int(wrong[0]) + 1
        samples = samples.copy()
        samples[:settled] = judged[:settled]
    return FreeRun(Clip(step_by_step(trained, conditions, frames, drawn), conditions, frames), seed)


def step_by_step(
    trained: Trained, conditions: Conditions, frames: Frames | None, drawn: NDArray[np.int32]
) -> Samples:
    """Samples (T,) of one stream from silence, by `WaveNet.step`."""
    model, head = trained.model, trained.model.spec.output
    params = np.empty((1, head.params), np.float32)
    draw = head.drawer(params, inverse_temperatures(1.0, 1))
    newest = np.full(1, head.silence, head.sample_dtype)
    samples = np.empty(len(drawn), head.sample_dtype)
    state = model.initial_state(1)
    blocks = _blocks(trained, conditions, frames)
    t = 0
    with torch.inference_mode():
        while t < len(drawn):
            bias, count = blocks.next(len(drawn) - t)
            for i in range(count):
                row = None if bias is None else torch.from_numpy(bias[i * len(bias) // count])
                found, state = model.step(tensor_of(newest, model), row, state)
                params[:] = found.float().numpy()
                draw(drawn[t + i], newest)
                samples[t + i] = newest[0]
            blocks.advance(samples[t : t + count, None])
            t += count
    return samples


def _drafted(
    trained: Trained, clip: Clip, settled: int, drawn: NDArray[np.int32], draft: Engine
) -> Samples:
    """The clip's first `settled` samples, and the engine's own after them."""
    samples = clip.samples.copy()
    blocks = _blocks(trained, clip.conditions, clip.frames)
    draft.reset()
    t = 0
    while t < len(samples):
        left = settled - t if t < settled else len(samples) - t
        bias, count = blocks.next(min(left, BLOCK))
        rows = slice(t, t + count)
        if t < settled:
            draft.score(samples[rows, None], bias)
        else:
            samples[rows] = draft.generate(bias, drawn[rows])[:, 0]
        blocks.advance(samples[rows, None])
        t += count
    return samples


def _blocks(trained: Trained, conditions: Conditions, frames: Frames | None) -> ConditionedBlocks:
    spec = trained.model.spec
    steps = round(FREE_SECONDS * spec.sample_rate)
    return conditioned(Conditioner(spec, trained.weights), spec, conditions, frames, steps)


def _draw(trained: Trained, params: NDArray[np.float32], drawn: NDArray[np.int32]) -> Samples:
    """One sample for each row of params (T, A), as if each were a stream: (T,)."""
    head = trained.model.spec.output
    samples = np.empty(len(params), head.sample_dtype)
    head.drawer(params, inverse_temperatures(1.0, len(params)))(drawn[:, 0], samples)
    return samples
