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

from wn_export.package.canonical import canonical_weights
from wn_export.parity.reference import Answer, Conditions, Excerpt, FreeRun, Reference, surprise
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.engines.engine import Engine
from wn_runtime.errors import WavestepError
from wn_runtime.model.weights import Weights
from wn_runtime.synthesis.sampling import CategoricalSampler, Uniforms
from wn_train import checkpoint as checkpoints
from wn_train.network.wavenet import WaveNet

LOGIT_ROWS = 1024
"""Rows of logits in a reference, over all excerpts: 1 MB at 256 classes."""
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
    excerpts: tuple[Excerpt, ...]
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
        excerpts=tuple(_excerpt(item) for item in checkpoint.excerpts),
    )


def make_reference(
    trained: Trained, excerpts: Sequence[Excerpt], material: str, draft: Engine, seed: int = 0
) -> Reference:
    """PyTorch's answers to the excerpts, and two seconds of its own.

    Without excerpts its own two seconds are the material. `draft`: see `free_run`.
    """
    spec = trained.model.spec
    conditions = next((e.conditions for e in excerpts if e.conditions), None)
    if conditions is None:
        conditions = {c.name: c.values[0] for c in spec.conditions}
    steps = round(FREE_SECONDS * spec.sample_rate)
    free = free_run(trained, conditions, steps, draft, seed)
    if not excerpts:
        excerpts = [Excerpt(free.samples, conditions)]
        material = "free-running samples of its own (no held-back audio)"
    rows = max(1, LOGIT_ROWS // len(excerpts))
    answers = tuple(answer(trained, excerpt, rows) for excerpt in excerpts)
    return Reference(material, tuple(excerpts), answers, free)


def answer(trained: Trained, excerpt: Excerpt, rows: int) -> Answer:
    """Teacher forcing over one excerpt; logits at `rows` steps spread over it."""
    logits = score(trained.model, excerpt.codes, conditions_of(trained, excerpt.conditions))
    count = len(excerpt.codes)
    steps = np.unique(np.linspace(0, count - 1, min(rows, count)).round().astype(np.int64))
    return Answer(surprise(logits, excerpt.codes), steps, logits[steps])


@torch.inference_mode()
def score(
    model: WaveNet, codes: NDArray[np.int32], conditions: dict[str, Tensor]
) -> NDArray[np.float32]:
    """Logits (T, A) of codes (T,) from silence, in chunks that carry their receptive field."""
    samples = torch.from_numpy(codes.astype(np.int64))[None]  # (1, T)
    parts = []
    for start in range(0, len(codes), CHUNK):
        context = min(start, model.spec.receptive_field)
        logits = model(samples[:, start - context : start + CHUNK], conditions)[0, context:]
        parts.append(logits.float().numpy())
    return np.concatenate(parts)


def free_run(
    trained: Trained, conditions: Conditions, steps: int, draft: Engine, seed: int
) -> FreeRun:
    """What PyTorch generates, found quickly: a draft by an engine, every sample of it judged.

    PyTorch scores the whole draft in one pass, and each sample is drawn again from its logits
    with the same uniform. A draft that comes back unchanged is, sample by sample, what PyTorch
    draws after what it has drawn: its own free run, whoever proposed it. At the first sample
    that does not, PyTorch's takes its place and the rest is drafted anew.
    """
    given = conditions_of(trained, conditions)
    bias = Conditioner(trained.model.spec, trained.weights).bias(dict(conditions), 1)
    uniforms = Uniforms(seed, streams=1).draw(steps)  # (T, 1)
    samples = np.empty(steps, np.int32)
    settled = 0
    for _ in range(REPAIRS):
        draft.reset()
        if settled:
            draft.score(samples[:settled, None], bias)
        samples[settled:] = draft.generate(bias, uniforms[settled:])[:, 0]
        drawn = _draw(score(trained.model, samples, given), uniforms)
        wrong = np.flatnonzero(drawn != samples)
        if not len(wrong):
            return FreeRun(conditions, seed, samples)
        settled = int(wrong[0]) + 1
        samples[:settled] = drawn[:settled]
    return FreeRun(conditions, seed, step_by_step(trained.model, given, uniforms))


@torch.inference_mode()
def step_by_step(
    model: WaveNet, conditions: dict[str, Tensor], uniforms: NDArray[np.float32]
) -> NDArray[np.int32]:
    """Samples (T,) of one stream from silence, by `WaveNet.step`."""
    sampler = CategoricalSampler(1, model.spec.classes, temperature=1.0)
    codes = np.empty((len(uniforms), 1), np.int64)
    newest = torch.full((1,), model.spec.silence)
    state = model.initial_state(1)
    for t in range(len(uniforms)):
        logits, state = model.step(newest, conditions, state)
        sampler(logits.float().numpy(), uniforms[t], codes[t])
        newest = torch.from_numpy(codes[t])
    return codes[:, 0].astype(np.int32)


def conditions_of(trained: Trained, conditions: Conditions) -> dict[str, Tensor]:
    """Named conditions as `WaveNet.forward` takes them, for one stream."""
    spec = trained.model.spec
    rows = Conditioner(spec, trained.weights).encode(dict(conditions), 1)
    return {
        name: torch.from_numpy(
            row.argmax(axis=1) if spec.condition(name).kind == "categorical" else row
        )
        for name, row in rows.items()
    }


def _draw(logits: NDArray[np.float32], uniforms: NDArray[np.float32]) -> NDArray[np.int32]:
    """One class for each row of logits (T, A), as if each were a stream: (T,)."""
    rows, classes = logits.shape
    drawn = np.empty(rows, np.int32)
    CategoricalSampler(rows, classes, temperature=1.0)(logits, uniforms[:, 0], drawn)
    return drawn


def _excerpt(item: dict[str, Any]) -> Excerpt:
    codes = np.asarray(item["codes"]).astype(np.int32)
    return Excerpt(codes, {str(name): str(value) for name, value in item["conditions"].items()})
