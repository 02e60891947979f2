"""wavenet.c on WebAssembly: what it computes is what it computes on this CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.export.c_api.wasm_program import WasmProgram
from tests.export.site.node import needs_node
from tests.law import oracle
from tests.models.specs import random_bias, random_samples, random_uniforms, random_weights
from tests.runtime.engines.native.models import SPECS, rounded
from tests.runtime.engines.native.targets import needs_compiler
from tests.runtime.engines.native.wheel import needs_zig
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.shapes import Shapes

pytestmark = [needs_zig, needs_node]


def error(found: NDArray[Any], expected: NDArray[Any]) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@needs_compiler
@pytest.mark.parametrize(
    ("precision", "build", "name", "batch"),
    [
        ("fp32", "relaxed", "uneven", 1),
        ("bf16", "simd", "far", 3),
        ("int8", "simd", "wide", 1),
        ("int8", "relaxed", "uneven", 2),
    ],
)
def test_it_scores_as_its_rounded_weights_do_and_draws_what_this_cpu_draws(
    tmp_path: Path, precision: str, build: str, name: str, batch: int
) -> None:
    spec, steps = SPECS[name], 48
    weights, samples = random_weights(spec), random_samples(spec, steps, batch)
    bias, uniforms = random_bias(spec, batch, steps // 2), random_uniforms(steps, batch)
    program = WasmProgram(tmp_path, Shapes(spec, precision, batch), weights, build)
    params, drawn = program.run(samples, uniforms, bias)
    expected = oracle.score(spec, rounded(spec, weights, precision), samples, bias)
    assert error(params, expected) < (5e-4 if precision == "int8" else 2e-6)
    native = NativeEngine(spec, weights, precision, batch)
    # In int8 an activation that lies between two integers may be rounded to the other one.
    assert error(params, native.score(samples, bias)) < (1e-4 if precision == "int8" else 2e-6)
    if precision != "int8":
        native.reset()
        np.testing.assert_array_equal(drawn, native.generate(bias, uniforms))
    assert len(np.unique(drawn)) > 3
