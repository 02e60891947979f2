"""The trained model as it is in PyTorch: loaded from its checkpoint, scored, and run freely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_export.parity.compare import BLOCK
from wn_export.parity.reference import (
    BIAS_SAMPLES,
    Clip,
    Conditions,
    FreeRun,
    Prediction,
    Reference,
)
from wn_runtime.conditioning.conditioner import Conditioner, padded_frames
from wn_runtime.conditioning.part import Frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.engine import Engine
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples, inverse_temperatures
from wn_runtime.model.weights import Weights
from wn_runtime.synthesis.conditioned import ConditionedBlocks
from wn_runtime.synthesis.uniforms import uniforms
from wn_train import checkpoint as checkpoints
from wn_train.data.chunks import encode
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet

PARAMS_ROWS = 1024
"""Rows of params in a reference, over all clips: 1 MB at 256 classes."""
FREE_SECONDS = 2.0
CHUNK = 4096
"""Samples a forward pass: bounds its memory."""
REPAIRS = 8
"""Drafts before a free run is made with `WaveNet.step`, hundreds of times slower."""


@dataclass(frozen=True)
class Trained:
    """A checkpoint, ready for export."""

    name: str
    model: WaveNet
    weights: Weights
    source: dict[str, Any]
    """The checkpoint's own words, for the manifest."""
    clips: tuple[Clip, ...]
    """Held-back audio that travels in the checkpoint."""


def load(path: Path, raw: bool = False) -> Trained:
    """Read a checkpoint: its averaged weights, or with `raw` those of the last training step.

    Raises WavestepError for a file that is not a checkpoint, is damaged, or lacks these weights.
    """
    checkpoint = checkpoints.load(path)
    state = checkpoint.model if raw else checkpoint.ema
    if not state:
        raise WavestepError(
            f"{path} holds no {'raw' if raw else 'averaged'} weights; "
            f"export it with{'out' if raw else ''} --raw-weights"
        )
    model = WaveNet(checkpoint.spec, checkpoint.weight_norm)
    try:
        model.load_state_dict(state)
    except (RuntimeError, AttributeError, TypeError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise WavestepError(f"{path}: the weights are not its spec's ({reason})") from error
    model.eval().requires_grad_(False)
    return Trained(
        name=Path(checkpoint.name).name or path.stem,
        model=model,
        weights=canonical_weights(model, str(path)),
        source={
            "checkpoint": path.name,
            "weights": "raw" if raw else "ema",
            "step": checkpoint.step,
            "valid_bits": checkpoint.valid_bits,
            "attribution": checkpoint.attribution,
        },
        clips=tuple(_clip(item, model) for item in checkpoint.clips),
    )


def make_reference(
    trained: Trained, clips: Sequence[Clip], material: str, draft: Engine, seed: int = 0
) -> Reference:
    """What PyTorch makes of the clips, and two seconds of its own.

    Without clips its own two seconds are the material. `draft`: see `free_run`.
    """
    spec = trained.model.spec
    like = next((clip for clip in clips if clip.conditions or clip.frames is not None), None)
    conditions = {c.name: c.values[0] for c in spec.conditions}
    conditions = dict(like.conditions) if like is not None and like.conditions else conditions
    steps = round(FREE_SECONDS * spec.sample_rate)
    frames = None if like is None else like.frames
    free = free_run(trained, conditions, frames, steps, draft, seed)
    if not clips:
        clips = [free.clip]
        material = "free-running samples of its own (no held-back audio)"
    rows = max(1, PARAMS_ROWS // len(clips))
    predictions = tuple(predict(trained, clip, rows) for clip in clips)
    return Reference(material, tuple(clips), predictions, free)


def predict(trained: Trained, clip: Clip, rows: int) -> Prediction:
    """Teacher forcing over one clip; params at `rows` steps spread over it."""
    model, head = trained.model, trained.model.spec.output
    bias = condition(model, clip)
    params = score(model, clip.samples, bias)
    count = len(clip.samples)
    steps = np.unique(np.linspace(0, count - 1, min(rows, count)).round().astype(np.int64))
    bits = head.bits(params, clip.samples)
    kept, samples = _kept_bias(model, bias, count)
    return Prediction(bits, steps, params[steps], kept, samples)


def _kept_bias(
    model: WaveNet, bias: Tensor | None, count: int
) -> tuple[NDArray[np.float32] | None, int]:
    """The first rows of a clip's bias, and the samples that they are held for together."""
    if bias is None:
        return None, 0
    rows: NDArray[np.float32] = bias.permute(2, 0, 1, 3).float().numpy()  # (T or 1, L, 1, G)
    held = min((c.hop for c in model.spec.conditioning if c.hop), default=count)
    samples = min(max(held, BIAS_SAMPLES // held * held), count // held * held)
    return (rows[:samples:held], samples) if samples and len(rows) > 1 else (rows[:1], count)


@torch.inference_mode()
def condition(model: WaveNet, clip: Clip) -> Tensor | None:
    """The gates' bias of every sample of a clip, (L, 1, T or 1, G)."""
    spec = model.spec
    timing = Timing.of(spec.conditioning)
    size = -(-len(clip.samples) // timing.block) * timing.block
    frames = None
    if timing.frame_channels:
        own = padded_frames(clip.frames, timing.frames(size))  # (F, 1, C)
        frames = torch.from_numpy(own.transpose(1, 0, 2).copy())
    samples = _tensor(clip.samples, model, size)[None]
    return model.condition(samples, encode([dict(clip.conditions)], spec), frames)


@torch.inference_mode()
def score(model: WaveNet, samples: Samples, bias: Tensor | None) -> NDArray[np.float32]:
    """Params (T, A) of samples (T,) from silence, in chunks that carry their receptive field."""
    known = _tensor(samples, model)[None]  # (1, T)
    parts = []
    for start in range(0, len(samples), CHUNK):
        context = min(start, model.spec.receptive_field)
        window = slice(start - context, start + CHUNK)
        own = bias if bias is None or bias.shape[2] == 1 else bias[:, :, window]
        steps = known[:, window].shape[1]
        own = own if own is None or own.shape[2] == 1 else own[:, :, :steps]
        parts.append(model.network(known[:, window], own)[0, context:].float().numpy())
    return np.concatenate(parts)


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
    that does not, PyTorch's takes its place and the rest is drafted anew.
    """
    model, head = trained.model, trained.model.spec.output
    drawn = uniforms(seed, 1, steps, head.uniforms)  # (T, 1, U)
    samples = np.full(steps, head.silence, head.sample_dtype)
    settled = 0
    for _ in range(REPAIRS):
        clip = Clip(samples, conditions, frames)
        samples = _drafted(trained, clip, settled, drawn, draft)
        clip = Clip(samples, conditions, frames)
        judged = _draw(trained, score(model, samples, condition(model, clip)), drawn)
        wrong = np.flatnonzero(judged != samples)
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
                found, state = model.step(_tensor(newest, model), row, state)
                params[:] = found.float().numpy()
                draw(drawn[t + i], newest)
                samples[t + i] = newest[0]
            blocks.advance(samples[t : t + count, None])
            t += count
    return samples


def values_of(trained: Trained, conditions: Conditions) -> dict[str, Tensor]:
    """Named conditions as `WaveNet.forward` takes them, for one stream."""
    return encode([dict(conditions)], trained.model.spec)


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
    blocks = ConditionedBlocks(Conditioner(spec, trained.weights), spec, 1)
    blocks.reset(None, dict(conditions))
    timing = blocks.timing
    if timing.frame_channels:
        steps = round(FREE_SECONDS * spec.sample_rate)
        size = -(-steps // timing.block) * timing.block
        blocks.push(padded_frames(frames, timing.frames(size)), last=False)
    return blocks


def _draw(trained: Trained, params: NDArray[np.float32], drawn: NDArray[np.int32]) -> Samples:
    """One sample for each row of params (T, A), as if each were a stream: (T,)."""
    head = trained.model.spec.output
    samples = np.empty(len(params), head.sample_dtype)
    head.drawer(params, inverse_temperatures(1.0, len(params)))(drawn[:, 0], samples)
    return samples


def _tensor(samples: Samples, model: WaveNet, size: int | None = None) -> Tensor:
    """Samples as the network takes them, silence up to `size`."""
    head = model.spec.output
    padded = np.full(size or len(samples), head.silence, head.sample_dtype)
    padded[: len(samples)] = samples
    tensor = torch.from_numpy(padded)
    return tensor if head.codes is None else tensor.long()


def _clip(item: dict[str, Any], model: WaveNet) -> Clip:
    samples = np.asarray(item["samples"]).astype(model.spec.output.sample_dtype)
    conditions = {str(name): str(value) for name, value in item["conditions"].items()}
    frames = item.get("frames")
    return Clip(
        samples,
        conditions,
        None if frames is None else np.asarray(frames, np.float32)[:, None],
    )
