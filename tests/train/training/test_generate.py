"""Generation in training is what an engine of the runtime makes of the same seed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests import specs
from tests.numpy_engine import NumpyEngine
from tests.seams.toy_conditioners import Contour, ContourModule
from tests.train.models import random_model
from wn_runtime.conditioning.conditioner import Conditioner, Values
from wn_runtime.conditioning.part import Frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.uniforms import uniforms
from wn_train.conditioning.registry import MODULES
from wn_train.network.canonical import canonical_weights
from wn_train.training.generate import generate

STREAMS, STEPS, SEED = 3, 100, 5


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, Contour.kind, ContourModule)


def framed(spec: ModelSpec) -> ModelSpec:
    return dataclasses.replace(spec, conditioning=(*spec.conditioning, Contour()))


def frames_of(spec: ModelSpec, steps: int) -> Frames | None:
    timing = Timing.of(spec.conditioning)
    if not timing.frame_channels:
        return None
    shape = (timing.frames(steps), STREAMS, timing.frame_channels)
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(
    "spec",
    [
        specs.CORNERS["input_kernel_2"],
        specs.CORNERS["uneven"],
        framed(specs.PLAIN),
        framed(specs.CORNERS["two_conditions"]),
    ],
    ids=["plain", "global", "frames", "global and frames"],
)
def test_it_is_what_an_engine_draws_from_the_same_seed(spec: ModelSpec) -> None:
    model = random_model(spec)
    frames = frames_of(spec, STEPS)
    conditions: dict[str, Values] = {c.name: [0, c.values[-1], 1] for c in spec.conditions}
    weights = canonical_weights(model, "test")
    bias = Conditioner(spec, weights).whole(conditions, STREAMS, STEPS, frames)
    engine = NumpyEngine(spec, weights, STREAMS)
    expected = engine.generate(bias, uniforms(SEED, STREAMS, STEPS))
    assert len(np.unique(expected)) > 4
    found = generate(model, conditions, STREAMS, STEPS, SEED, frames)
    assert np.array_equal(found, spec.output.decode(expected))


def test_too_few_frames_are_an_error_of_the_user() -> None:
    spec = framed(specs.PLAIN)
    with pytest.raises(WavestepError, match="more frames are needed"):
        generate(random_model(spec), {}, STREAMS, STEPS, SEED, frames_of(spec, STEPS // 2))
