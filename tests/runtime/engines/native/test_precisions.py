"""A precision costs the rounding of its weights and no more, on every instruction set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.law import oracle
from tests.law.engines import verify_engine_contract
from tests.models.specs import CORNERS, random_bias, random_samples, random_uniforms, random_weights
from tests.runtime.engines.native.models import SPECS, rounded
from tests.runtime.engines.native.targets import TARGETS, needs_compiler
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.kind import PRECISIONS
from wn_runtime.engines.native.library import compiled

pytestmark = needs_compiler


def error(found: NDArray[Any], expected: NDArray[Any]) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_instruction_set_scores_as_its_rounded_weights_do(
    precision: str, target: tuple[str, ...]
) -> None:
    for name, batch in (("uneven", 1), ("wide", 3), ("amplitudes", 3), ("far", 1)):
        spec = SPECS[name]
        weights, samples = random_weights(spec), random_samples(spec, 40, batch)
        bias = random_bias(spec, batch, 40)
        engine = NativeEngine(
            spec, weights, precision, batch, library=lambda shapes: compiled(shapes, target)
        )
        expected = oracle.score(spec, rounded(spec, weights, precision), samples, bias)
        limit = 5e-4 if precision == "int8" else 2e-6
        assert error(engine.score(samples, bias), expected) < limit


def test_int8_is_the_same_arithmetic_on_every_instruction_set() -> None:
    spec = SPECS["wide"]
    weights, samples = random_weights(spec), random_samples(spec, 40, 1)

    def scores(*target: str) -> NDArray[np.float32]:
        engine = NativeEngine(
            spec, weights, "int8", library=lambda shapes: compiled(shapes, target)
        )
        return engine.score(samples, None)

    baseline = scores("-O3")
    for other in (scores("-DWN_PLAIN"), NativeEngine(spec, weights, "int8").score(samples, None)):
        assert error(other, baseline) < 2e-5


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_rounded_weights_obey_the_contract(precision: str) -> None:
    spec = CORNERS["kernel_3"]
    weights = random_weights(spec)
    engine = NativeEngine(spec, weights, precision, 2)
    verify_engine_contract(engine, rounded(spec, weights, precision), tolerance=1e-3)


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_a_stream_goes_through_float32_and_back_without_loss(precision: str) -> None:
    spec = CORNERS["two_conditions"]
    weights = random_weights(spec)
    bias, uniforms = random_bias(spec, 2), random_uniforms(60, 2)
    engine = NativeEngine(spec, weights, precision, 2)
    engine.generate(bias, uniforms[:23])
    between = NativeEngine(spec, weights, "fp32", 2)
    between.restore(engine.snapshot())
    expected = engine.generate(bias, uniforms[23:])
    engine.restore(between.snapshot())
    np.testing.assert_array_equal(engine.generate(bias, uniforms[23:]), expected)
