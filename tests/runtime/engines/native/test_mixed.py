"""A bias that the native engine mixes: the samples of its rows, the same bits however it is cut."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.law.numpy_engine import NumpyEngine
from tests.models.specs import random_mixed, random_samples, random_uniforms, random_weights
from tests.runtime.engines.native.models import SPECS
from tests.runtime.engines.native.program import Program
from tests.runtime.engines.native.targets import needs_compiler
from tests.runtime.engines.native.test_program import SANITIZE
from wn_runtime.conditioning.conditioner import pieces
from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.kind import PRECISIONS
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import DELAY_LINES

pytestmark = needs_compiler
SIZE = 96
CONDITIONED = [name for name, spec in SPECS.items() if spec.conditioning]


def scored(engine: NativeEngine, bias: Mixed, ends: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Params and samples, in calls that end there."""
    spec, batch = engine.spec, engine.batch
    samples, uniforms = random_samples(spec, SIZE, batch), random_uniforms(SIZE, batch)
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for made, call in (
        (found[0], lambda part, cut: engine.score(samples[cut], part)),
        (found[1], lambda part, cut: engine.generate(part, uniforms[cut])),
    ):
        engine.reset()
        start = 0
        for end in ends:
            for part, count in pieces(bias, SIZE, start, end - start):
                assert isinstance(part, Mixed)
                made.append(call(part, slice(start, start + count)))
                start += count
    return np.concatenate(found[0]), np.concatenate(found[1])


@pytest.mark.parametrize("name", CONDITIONED)
@pytest.mark.parametrize("batch", [1, 3])
def test_it_is_what_its_rows_make(name: str, batch: int) -> None:
    spec = SPECS[name]
    engine = NativeEngine(spec, random_weights(spec), "fp32", batch)
    bias = random_mixed(spec, batch, SIZE, 4, 5)
    samples = random_samples(spec, SIZE, batch)
    found = engine.score(samples, bias)
    engine.reset()
    expected = engine.score(samples, bias.dense())
    np.testing.assert_allclose(found, expected, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["far", "near"])
@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (1, 2), (3, 1), (3, 2)])
def test_any_cut_into_calls_gives_the_same_bits(
    name: str, precision: str, batch: int, threads: int
) -> None:
    """Steps are grouped by where they stand in a call: rows are mixed alone or many together."""
    spec = SPECS[name]
    weights, bias = random_weights(spec), random_mixed(spec, batch, SIZE, 2)
    engine = NativeEngine(spec, weights, precision, batch, threads)
    alone = NativeEngine(spec, weights, precision, batch)
    expected = scored(alone, bias, [*range(1, SIZE + 1)])
    rng = np.random.default_rng(0)
    cuts = [sorted({*rng.integers(1, SIZE, count).tolist(), SIZE}) for count in (0, 1, 3, 9)]
    for ends in cuts:
        for found, wanted in zip(scored(engine, bias, ends), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)
    state = alone.snapshot()
    np.testing.assert_array_equal(engine.snapshot()[DELAY_LINES], state[DELAY_LINES])
    engine.close()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_streams_side_by_side_are_bit_for_bit_those_alone(precision: str) -> None:
    spec, batch = SPECS["far"], 5
    weights, bias = random_weights(spec), random_mixed(spec, batch, SIZE, 2)
    samples = random_samples(spec, SIZE, batch)
    engine = NativeEngine(spec, weights, precision, batch, 2)
    together = engine.score(samples, bias)
    alone = NativeEngine(spec, weights, precision)
    for b in range(batch):
        alone.reset()
        expected = alone.score(samples[:, b : b + 1], bias.streams([b]))
        np.testing.assert_array_equal(together[:, b : b + 1], expected)
    engine.close()


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
@pytest.mark.parametrize(
    ("name", "precision", "target", "batch"),
    [
        pytest.param("far", "int8", "-march=native", 1, marks=pytest.mark.slow),
        ("two_conditions", "fp32", "-DWN_PLAIN", 3),
    ],
)
def test_no_sanitizer_complains(
    tmp_path: Path, name: str, precision: str, target: str, batch: int
) -> None:
    spec = SPECS[name]
    flags = ("gcc", target, *SANITIZE)
    program = Program(tmp_path, Shapes(spec, precision, batch), random_weights(spec), flags)
    samples, uniforms = random_samples(spec, 24, batch), random_uniforms(24, batch)
    mixed = random_mixed(spec, batch, 24, 3, 4)
    found = program.run(samples, uniforms, mixed)
    expected = program.run(samples, uniforms, mixed.dense())
    largest = np.abs(expected.params).max()
    tolerance = 2e-6 if precision == "fp32" else 0.05
    np.testing.assert_allclose(found.params, expected.params, atol=tolerance * largest)


def test_what_does_not_fit_is_refused_before_c_sees_it() -> None:
    spec: ModelSpec = SPECS["far"]
    engine, uniforms = NativeEngine(spec, random_weights(spec), "fp32", 2), random_uniforms(12, 2)
    bias = random_mixed(spec, 2, 12, 3)
    for wrong in (
        Mixed(bias.rows[:2], bias.mix[:11]),
        Mixed(bias.rows[:, :2], bias.mix),
        Mixed(bias.rows[:, :, :, :1], bias.mix),
        Mixed(bias.rows[..., 1:], bias.mix),
        Mixed(bias.rows, bias.mix[:, :1]),
        Mixed(bias.rows[:, :0], bias.mix[..., :0]),
    ):
        with pytest.raises(WavestepError, match=r"bias is \(.*\) and its mix \(.*\); this block"):
            engine.generate(wrong, uniforms)
    with pytest.raises(TypeError, match="mix must be an array of numbers"):
        engine.generate(Mixed(bias.rows, bias.mix.astype(str)), uniforms)
    plain = NativeEngine(SPECS["plain"], random_weights(SPECS["plain"]), "fp32")
    with pytest.raises(WavestepError, match="this model has no conditioning"):
        plain.generate(bias, random_uniforms(12))


def test_an_empty_block_changes_nothing() -> None:
    spec = SPECS["far"]
    engine = NativeEngine(spec, random_weights(spec), "fp32")
    assert engine.generate(random_mixed(spec, 1, 0), random_uniforms(0)).shape == (0, 1)


def test_an_engine_that_does_not_mix_is_given_rows() -> None:
    spec = SPECS["one_condition"]
    engine, bias = NumpyEngine(spec, random_weights(spec), 2), random_mixed(spec, 2, 12, 3)
    samples = random_samples(spec, 12, 2)
    found = engine.score(samples, bias)
    engine.reset()
    np.testing.assert_array_equal(found, engine.score(samples, bias.dense()))
