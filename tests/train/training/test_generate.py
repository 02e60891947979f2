"""Generation in training is what an engine of the runtime makes of the same seed."""

from __future__ import annotations

import dataclasses
from typing import NoReturn

import numpy as np
import pytest
import torch

from tests.law.numpy_engine import NumpyEngine
from tests.models import specs
from tests.seams.toy_conditioners import Contour, ContourModule
from tests.train.models import random_model
from wn_runtime.conditioning.conditioner import Conditioner, Values
from wn_runtime.conditioning.part import Frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.native.compiler import find_compiler
from wn_runtime.engines.native.library import Library, compiled
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.heads.logistic import Logistic
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.uniforms import uniforms
from wn_train.conditioning.registry import MODULES
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet
from wn_train.training.generate import Generator, generate

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
    assert np.array_equal(found, expected)


CORNERS = {
    "plain": specs.CORNERS["input_kernel_2"],
    "global and frames": framed(specs.CORNERS["two_conditions"]),
    "amplitudes": dataclasses.replace(specs.PLAIN, output=Logistic(3)),
}


@pytest.mark.parametrize("name", CORNERS)
def test_the_native_engine_draws_what_the_network_does(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        find_compiler()
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    spec = CORNERS[name]
    model = random_model(spec)
    conditions: dict[str, Values] = {c.name: [c.values[0], None, 1] for c in spec.conditions}
    frames = frames_of(spec, STEPS)
    expected = spec.decode(generate(model, conditions, STREAMS, STEPS, SEED, frames))
    monkeypatch.setattr(WaveNet, "step", lambda *given: pytest.fail("PyTorch stepped"))
    generator = Generator(pytest.fail)
    found = spec.decode(generator.generate(model, conditions, STREAMS, STEPS, SEED, frames))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    with torch.no_grad():  # as a training step would
        model.input.bias.add_(1)
    later = spec.decode(generator.generate(model, conditions, STREAMS, STEPS, SEED, frames))
    assert np.abs(later - expected).max() > 0.01, "weights are taken when they are asked for"


@pytest.mark.parametrize("fault", [EngineUnavailable("no C compiler is here"), WavestepError("x")])
def test_without_a_compiler_pytorch_makes_the_same_and_that_is_said_once(
    fault: WavestepError,
) -> None:
    def library(shapes: Shapes) -> NoReturn:
        raise fault

    said: list[str] = []
    generator = Generator(said.append, library)
    model = random_model(specs.PLAIN)
    expected = generate(model, {}, STREAMS, STEPS, SEED)
    for _ in range(2):
        assert np.array_equal(generator.generate(model, {}, STREAMS, STEPS, SEED), expected)
    assert said == [f"PyTorch generates for the training, slowly: {fault}"]


def test_code_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def library(shapes: Shapes) -> Library:
        asked.append(shapes.digest())
        return compiled(shapes)

    generator = Generator(pytest.fail, library)
    model = random_model(specs.PLAIN)
    try:
        find_compiler()
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    for _ in range(3):
        generator.generate(model, {}, STREAMS, 5)
    assert len(asked) == len(set(asked))


def test_too_few_frames_are_an_error_of_the_user() -> None:
    spec = framed(specs.PLAIN)
    with pytest.raises(
        WavestepError, match="the last frames have been pushed, and reach for 0 more"
    ):
        generate(random_model(spec), {}, STREAMS, STEPS, SEED, frames_of(spec, STEPS // 2))
