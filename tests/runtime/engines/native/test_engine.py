"""The native engine is the layer equation, for any shape, batch, threads and blocks."""

from __future__ import annotations

import numpy as np
import pytest

from tests.law.engines import verify_engine_contract
from tests.models.specs import CORNERS, random_bias, random_samples, random_uniforms, random_weights
from tests.runtime.engines.native.models import SPECS
from tests.runtime.engines.native.targets import needs_compiler
from wn_runtime.conditioning.conditioner import pieces
from wn_runtime.engines.native import cpu
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.kind import PRECISIONS
from wn_runtime.engines.native.library import Library, compiled
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import WavestepError
from wn_runtime.model.state import DELAY_LINES, SAMPLES

pytestmark = needs_compiler


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("batch", [1, 2])
def test_it_obeys_the_contract(name: str, batch: int) -> None:
    weights = random_weights(SPECS[name])
    engine = NativeEngine(SPECS[name], weights, "fp32", batch)
    verify_engine_contract(engine, weights, tolerance=2e-6)


@pytest.mark.parametrize(("batch", "threads"), [(5, 2), (18, 1)])
def test_it_obeys_the_contract_in_groups_and_threads(batch: int, threads: int) -> None:
    spec = CORNERS["two_conditions"]
    weights = random_weights(spec)
    engine = NativeEngine(spec, weights, "fp32", batch, threads)
    verify_engine_contract(engine, weights, tolerance=2e-6)
    engine.close()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("batch", "threads"), [(2, 2), (5, 1), (5, 2), (18, 1)])
def test_streams_side_by_side_are_bit_for_bit_those_alone(
    precision: str, batch: int, threads: int
) -> None:
    spec = CORNERS["one_condition"]
    weights = random_weights(spec)
    samples, bias = random_samples(spec, 40, batch), random_bias(spec, batch, 40)
    assert bias is not None
    engine = NativeEngine(spec, weights, precision, batch, threads)
    together = engine.score(samples, bias)
    alone = NativeEngine(spec, weights, precision)
    for b in (0, batch // 2, batch - 1):
        alone.reset()
        expected = alone.score(samples[:, b : b + 1], bias[:, :, b : b + 1])
        np.testing.assert_array_equal(together[:, b : b + 1], expected)
    engine.close()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    ("batch", "threads", "steps"), [(1, 1, 8), (1, 2, 8), (2, 1, 4), (1, 1, 16), (2, 2, 8)]
)
def test_taps_of_many_samples_at_once_are_bit_for_bit_those_of_one_after_the_other(
    precision: str, batch: int, threads: int, steps: int
) -> None:
    spec = SPECS["near"]
    weights = random_weights(spec)

    def engine(threads: int, steps: int) -> NativeEngine:
        def library(shapes: Shapes) -> Library:
            return compiled(shapes, (*cpu.native_flags(), f"-DTAP_STEPS={steps}"))

        return NativeEngine(spec, weights, precision, batch, threads, library=library)

    one, many = engine(1, 1), engine(threads, steps)
    for size, rows in ((1, 1), (7, 7), (8, 1), (13, 1), (37, 37), (48, 8), (64, 64)):
        bias, drawn = random_bias(spec, batch, rows), random_uniforms(size, batch)
        np.testing.assert_array_equal(many.generate(bias, drawn), one.generate(bias, drawn))
        samples = random_samples(spec, size, batch)
        np.testing.assert_array_equal(many.score(samples, bias), one.score(samples, bias))
        state = one.snapshot()
        for name, array in many.snapshot().items():
            np.testing.assert_array_equal(array, state[name])
    many.close()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("batch", [1, 2])
def test_a_bias_that_is_held_is_bit_for_bit_the_same_in_blocks_that_begin_within_a_row(
    precision: str, batch: int
) -> None:
    """Older taps are summed up for several samples together, over rows and ends of blocks."""
    spec, size = SPECS["far"], 96
    weights, uniforms = random_weights(spec), random_uniforms(size, batch)
    bias = random_bias(spec, batch, size // 12)
    assert bias is not None
    engine = NativeEngine(spec, weights, precision, batch)
    expected = engine.generate(np.repeat(bias, 12, axis=0), uniforms)
    state = engine.snapshot()
    for ends in ([96], [5, 17, 18, 60, 96], [12, 31, 96]):
        engine.reset()
        made, start = [], 0
        for end in ends:
            for rows, count in pieces(bias, size, start, end - start):
                made.append(engine.generate(rows, uniforms[start : start + count]))
                start += count
        np.testing.assert_array_equal(np.concatenate(made), expected)
        np.testing.assert_array_equal(engine.snapshot()[DELAY_LINES], state[DELAY_LINES])


def test_it_says_how_it_runs() -> None:
    spec = CORNERS["plain"]
    engine = NativeEngine(spec, random_weights(spec), "int8", 4, 2)
    assert (engine.name, engine.precision, engine.batch) == ("native", "int8", 4)
    assert engine.note == "2 threads"
    engine.close()
    assert NativeEngine(spec, random_weights(spec), "int8").note == "1 thread"


def test_an_empty_block_changes_nothing() -> None:
    spec = CORNERS["plain"]
    engine = NativeEngine(spec, random_weights(spec), "fp32")
    engine.score(random_samples(spec, 9, 1), None)
    before = engine.snapshot()
    assert engine.generate(None, random_uniforms(0)).shape == (0, 1)
    assert engine.score(random_samples(spec, 0, 1), None).shape == (0, 1, 16)
    after = engine.snapshot()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_what_does_not_fit_is_refused_before_c_sees_it() -> None:
    spec = CORNERS["one_condition"]
    engine = NativeEngine(spec, random_weights(spec), "fp32", 2)
    bias, uniforms = random_bias(spec, 2, 2), random_uniforms(4, 2)
    assert bias is not None
    with pytest.raises(
        WavestepError, match=r"uniforms are \(4, 3, 1\); .* takes \(samples, 2, 1\)"
    ):
        engine.generate(bias, random_uniforms(4, 3))
    with pytest.raises(WavestepError, match=r"uniforms are \(4, 2\)"):
        engine.generate(bias, uniforms[..., 0])
    with pytest.raises(TypeError, match="uniforms must be an array of integers, not of float32"):
        engine.generate(bias, uniforms.astype(np.float32))
    for beyond in (-1, 2**24):
        with pytest.raises(WavestepError, match="give integers of 24 bits"):
            engine.generate(bias, np.full_like(uniforms, beyond))
    with pytest.raises(WavestepError, match=r"bias is \(2, 2, 2, 16\); .* \(rows, 3, 2, 16\)"):
        engine.generate(bias[:, :-1], uniforms)
    with pytest.raises(WavestepError, match="bias has 3 rows; their number must divide the block"):
        engine.generate(np.zeros((3, 3, 2, 16), np.float32), uniforms)
    with pytest.raises(WavestepError, match="one for each of 2 streams"):
        engine.generate(bias, uniforms, [1.0] * 3)
    with pytest.raises(WavestepError, match=r"samples are \(4, 3\)"):
        engine.score(random_samples(spec, 4, 3), bias)
    for wrong in (16, -1):
        with pytest.raises(WavestepError, match="classes are 0 to 15"):
            engine.score(np.full((4, 2), wrong, np.int32), bias)
    state = engine.snapshot()
    state[SAMPLES][0, 0] = 10**6
    with pytest.raises(WavestepError, match="classes are 0 to 15"):
        engine.restore(state)
    with pytest.raises(WavestepError, match="slot 2 is out of range"):
        engine.reset([2])
