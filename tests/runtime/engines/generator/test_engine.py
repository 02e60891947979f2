"""The generator engine computes the model, draws as all do, and any calls make one stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import wn_runtime
from tests.law.engines import verify_engine_contract
from tests.models.generators import MODELS
from tests.models.model_dir import write_model
from tests.models.specs import (
    PLAIN,
    SPEAKER,
    random_bias,
    random_samples,
    random_uniforms,
    random_weights,
    small_spec,
)
from tests.runtime.engines.native.targets import needs_compiler
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.generator.engine import GeneratorEngine
from wn_runtime.engines.generator.signature import BLOCK
from wn_runtime.errors import WavestepError
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import Head
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.package import ModelPackage


@pytest.mark.parametrize("name", MODELS)
def test_it_obeys_the_contract(tmp_path: Path, name: str) -> None:
    """Over a block and part of the next."""
    spec = MODELS[name]
    batch = 1 + len(spec.conditioning)
    directory = write_model(tmp_path, spec, batch=batch, generator=True)
    engine = open_engine(directory, "generator", batch=batch)
    verify_engine_contract(engine, random_weights(spec), steps=BLOCK + 16)


@pytest.mark.parametrize(("graph", "asked"), [(1, 3), (2, 3), (3, 1)])
def test_streams_that_do_not_fill_the_graph_run_all_the_same(
    tmp_path: Path, graph: int, asked: int
) -> None:
    spec = small_spec((1, 64))
    directory = write_model(tmp_path, spec, batch=graph, generator=True)
    engine = open_engine(directory / "generator.onnx", batch=asked)
    assert isinstance(engine, GeneratorEngine)
    verify_engine_contract(engine, random_weights(spec), steps=16)


@pytest.mark.parametrize(
    ("engine", "head"),
    [
        pytest.param("native", Softmax(), marks=needs_compiler, id="native"),
        pytest.param("onnx", Softmax(300, "linear"), id="linear"),
        pytest.param("onnx", Logistic(4), id="logistic"),
        pytest.param("onnx", Gaussian(), id="gaussian"),
    ],
)
def test_its_samples_are_another_engines(tmp_path: Path, engine: str, head: Head) -> None:
    """In float32, over blocks and calls; a rounded amplitude is fed back, and may grow a little."""
    spec = small_spec(
        [2**i for i in range(9)] * 2, output=head, conditions=(SPEAKER,), residual=16, gate=32
    )
    directory = write_model(tmp_path, spec, generator=True)
    uniforms, made = random_uniforms(600, each=head.uniforms), []
    bias = random_bias(spec, 1)
    for name in (engine, "generator"):
        opened = open_engine(directory, name, "fp32")
        calls = [uniforms[:256], uniforms[256:300], uniforms[300:]]
        made.append(np.concatenate([opened.generate(bias, each, 0.9) for each in calls]))
    if head.codes is not None:
        np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_allclose(made[0], made[1], atol=16 * head.rounding)


@pytest.mark.parametrize("name", MODELS)
def test_blocks_of_any_sizes_are_one_pass_to_the_bit(tmp_path: Path, name: str) -> None:
    spec = MODELS[name]
    engine = open_engine(write_model(tmp_path, spec, generator=True), "generator")
    uniforms = random_uniforms(3 * BLOCK + 9, each=spec.output.uniforms)
    bias = random_bias(spec, 1)
    whole, state = engine.generate(bias, uniforms), engine.snapshot()
    for cuts in ([BLOCK], [2 * BLOCK], [1, 2, 65, 100], range(7, 200, 31)):
        engine.reset()
        pieces = [engine.generate(bias, each) for each in np.split(uniforms, list(cuts))]
        np.testing.assert_array_equal(np.concatenate(pieces), whole)
        for key, array in engine.snapshot().items():
            np.testing.assert_array_equal(array, state[key])


def test_a_stream_of_it_is_heard_as_any_other(tmp_path: Path) -> None:
    directory = write_model(tmp_path, MODELS["logistic of one"], generator=True)
    heard = []
    for name in ("onnx", "generator"):
        with wn_runtime.open(directory, name) as model:
            heard.append(model.stream(seed=3).read(200))
    np.testing.assert_allclose(heard[0], heard[1], atol=1e-4)


def test_a_call_without_samples_changes_nothing(tmp_path: Path) -> None:
    engine = open_engine(write_model(tmp_path, PLAIN, generator=True), "generator")
    engine.score(random_samples(PLAIN, 9, 1), None)
    before = engine.snapshot()
    assert engine.generate(None, random_uniforms(0)).shape == (0, 1)
    assert engine.score(random_samples(PLAIN, 0, 1), None).shape == (0, 1, 16)
    assert all(np.array_equal(before[name], engine.snapshot()[name]) for name in before)


@pytest.mark.parametrize("head", [Softmax(16), Logistic(3), Gaussian()], ids=lambda head: head.kind)
def test_what_are_not_numbers_is_a_line_and_no_sound(tmp_path: Path, head: Head) -> None:
    """Weights are numbers, which does not keep their sums from overflowing."""
    spec = small_spec((1, 2), output=head)
    weights = random_weights(spec)
    weights["head.0.bias"] = np.full_like(weights["head.0.bias"], 1e30)
    weights["head.1.weight"] = np.full_like(weights["head.1.weight"], 3e38)
    directory = write_model(tmp_path, spec, generator=True, weights=weights)
    engine = open_engine(directory, "generator")
    before = engine.snapshot()
    with pytest.raises(WavestepError, match="the logits are not numbers"):
        engine.generate(None, random_uniforms(70, each=head.uniforms))
    assert all(np.array_equal(before[name], engine.snapshot()[name]) for name in before)


def test_engines_of_one_package_share_the_session_and_nothing_else(tmp_path: Path) -> None:
    package = ModelPackage(write_model(tmp_path, PLAIN, generator=True))
    one, other = (open_engine(package.directory, "generator") for _ in range(2))
    uniforms = random_uniforms(90)
    expected = one.generate(None, uniforms)
    one.reset()
    first = one.generate(None, uniforms[:30])
    other.generate(None, uniforms[::-1])
    np.testing.assert_array_equal(
        np.concatenate([first, one.generate(None, uniforms[30:])]), expected
    )
