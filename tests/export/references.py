"""References that a NumPy engine made in PyTorch's place, so that no checkpoint is needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.law.numpy_engine import NumpyEngine
from tests.models.specs import random_samples, random_weights
from wn_export.parity.expected import Clip, Conditions, FreeRun, Prediction, Reference
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.part import Frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights
from wn_runtime.synthesis.uniforms import uniforms

FREE_SAMPLES = 60
SEED = 1


def reference_of(
    spec: ModelSpec,
    seed: int = 0,
    conditions: Conditions | None = None,
    clips: Sequence[int] = (40, 70),
    weights: Weights | None = None,
) -> Reference:
    """Of a model with `weights` or `random_weights(spec, seed)`; clips: the samples of each.

    One that takes frames has random ones, which each bias is made of.
    """
    weights = random_weights(spec, seed) if weights is None else weights
    engine, conditioner, head = NumpyEngine(spec, weights), Conditioner(spec, weights), spec.output
    given = conditions or {}
    made, predictions = [], []
    for length in clips:
        frames = _frames(spec, length)
        bias = conditioner.whole(dict(given), 1, length, frames)
        samples = random_samples(spec, length, 1, seed=length)
        engine.reset()
        params = engine.score(samples, bias)[:, 0]
        steps = np.arange(0, length, 3)
        bits = head.bits(params, samples[:, 0])
        made.append(Clip(samples[:, 0], given, frames))
        predictions.append(
            Prediction(bits, steps, params[steps], bias, 0 if bias is None else length)
        )
    frames = _frames(spec, FREE_SAMPLES)
    bias = conditioner.whole(dict(given), 1, FREE_SAMPLES, frames)
    engine.reset()
    free = engine.generate(bias, uniforms(SEED, 1, FREE_SAMPLES, head.uniforms))[:, 0]
    return Reference(
        "test", tuple(made), tuple(predictions), FreeRun(Clip(free, given, frames), SEED)
    )


def _frames(spec: ModelSpec, samples: int) -> Frames | None:
    """(F, 1, C), as many as the samples and the lookahead need."""
    timing = Timing.of(spec.conditioning)
    if not timing.frame_channels:
        return None
    shape = (timing.frames(samples), 1, timing.frame_channels)
    return np.random.default_rng(samples).standard_normal(shape).astype(np.float32)
