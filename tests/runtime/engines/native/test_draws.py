"""The draw in C is NumPy's: the same integers, so the same class, on every instruction set."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.specs import CORNERS, random_bias, random_uniforms, random_weights, small_spec
from tests.runtime.engines.native.models import SPECS, with_params
from tests.runtime.engines.native.targets import TARGETS, needs_compiler
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.library import compiled
from wn_runtime.heads.head import inverse_temperatures

pytestmark = needs_compiler
LAST = 2**24 - 1


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["uneven", "wide"])
def test_it_draws_what_numpy_draws_from_its_own_scores(name: str, target: tuple[str, ...]) -> None:
    """A rounding of the exponential may decide, where the uniform lies on a class's very edge."""
    spec, temperatures = SPECS[name], [1.0, 0.7, 0.0, 1e-45]
    head, streams, steps = spec.output, 4, 300
    engine = NativeEngine(
        spec, random_weights(spec), "fp32", streams, library=lambda s: compiled(s, target)
    )
    bias, uniforms = random_bias(spec, streams), random_uniforms(steps, streams)
    drawn = engine.generate(bias, uniforms, temperatures)
    engine.reset()
    params = engine.score(drawn, bias)
    memory, expected = np.empty(params.shape[1:], np.float32), np.empty_like(drawn)
    inverse = inverse_temperatures(temperatures, streams)
    draw = head.drawer(memory, inverse)
    for t in range(steps):
        memory[:] = params[t]
        draw(uniforms[t], expected[t])
    different = np.argwhere(drawn != expected)
    assert len(different) <= 1
    for t, b in different:
        scaled = params[t, b] * inverse[b]
        margin = head.margin(scaled, uniforms[t, b], drawn[t, b], expected[t, b])
        assert margin <= head.float_error(0)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("classes", [2, 11, 16, 257])
def test_equal_classes_share_the_uniforms_to_the_last_one(
    classes: int, target: tuple[str, ...]
) -> None:
    """All weights are 2^22: nothing is rounded, and what fills up a vector is never drawn."""
    spec = small_spec((1,), classes=classes)
    weights = with_params(random_weights(spec), np.full(classes, 0.3, np.float32))
    engine = NativeEngine(spec, weights, "fp32", library=lambda s: compiled(s, target))
    edges = [-(-c * 2**24 // classes) for c in range(1, classes)]  # the first u of each class
    uniforms = np.array([0, *edges, *(edge - 1 for edge in edges), LAST], np.int32)
    expected = [0, *range(1, classes), *range(classes - 1), classes - 1]
    assert engine.generate(None, uniforms[:, None, None])[:, 0].tolist() == expected


@pytest.mark.parametrize("target", TARGETS)
def test_extreme_params_and_temperatures_draw_a_class_that_can_be(target: tuple[str, ...]) -> None:
    spec = CORNERS["uneven"]
    params = np.full(11, -1e8, np.float32)
    params[[2, 4, 7]] = 5, np.nextafter(np.float32(5), np.float32(9)), 5
    engine = NativeEngine(
        spec,
        with_params(random_weights(spec), params),
        "fp32",
        4,
        library=lambda s: compiled(s, target),
    )
    uniforms = np.tile(np.array([0, LAST], np.int32)[:, None, None], (1, 4, 1))
    drawn = engine.generate(random_bias(spec, 4), uniforms, [1.0, 1e-3, 1e-45, 0.0])
    assert drawn.tolist() == [[2, 2, 4, 4], [7, 7, 4, 4]]


def test_temperature_zero_takes_the_lowest_class_of_equals() -> None:
    spec = CORNERS["plain"]
    params = np.array([0, 0, 0, 2, 1, 2] + [0] * 10, np.float32)
    engine = NativeEngine(spec, with_params(random_weights(spec), params), "fp32")
    assert (engine.generate(None, random_uniforms(5), 0.0) == 3).all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("signs", [[1.0], [-1.0], [1.0, -1.0]], ids=["inf", "-inf", "nan"])
@pytest.mark.parametrize("classes", [2, 11, 64, 257])
def test_of_what_are_not_numbers_some_class_is_drawn(
    classes: int, signs: list[float], target: tuple[str, ...]
) -> None:
    """Weights are numbers, which does not keep their sums from overflowing."""
    spec = small_spec((1,), classes=classes)
    zero = with_params(random_weights(spec), np.zeros(classes, np.float32))
    for where in ([0], [classes - 1], range(classes)):
        last = np.zeros_like(zero["head.1.weight"])  # (H, A)
        last[:, where] = np.resize(3e38 * np.array(signs), (len(last), 1))
        hidden = np.full_like(zero["head.0.bias"], 1e30)
        weights = {**zero, "head.1.weight": last, "head.0.bias": hidden}
        engine = NativeEngine(spec, weights, "fp32", library=lambda s: compiled(s, target))
        scored = engine.score(np.zeros((1, 1), np.int32), None)[0, 0]
        assert not np.isfinite(scored[where]).any()
        for temperature in (1.0, 0.0):
            drawn = engine.generate(None, random_uniforms(20, 1), temperature)
            assert ((drawn >= 0) & (drawn < classes)).all()
