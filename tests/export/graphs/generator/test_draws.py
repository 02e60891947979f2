"""The draw inside the graph is NumPy's, on the same integers, for every head and temperature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from wn_export.graphs.builder import GraphBuilder
from wn_export.graphs.generator import rules
from wn_export.graphs.generator.draws import DRAWS, add_temperatures, find
from wn_runtime.errors import WavestepError
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import Head, Samples, inverse_temperatures
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.registry import HEADS
from wn_runtime.heads.softmax import Softmax

LAST = 2**24 - 1
TEMPERATURES = (1.0, 0.7, 0.0, 1e-3, 1e-45, 3.3, 1e40)


def drawn_by_graph(
    head: Head, params: NDArray[np.float32], uniforms: NDArray[np.int32], temperature: float
) -> tuple[Samples, NDArray[np.float32]]:
    """A draw for each row of params (B, A), with uniforms (B, U); and what tells it from none."""
    batch = len(params)
    graph = GraphBuilder("draw", "fp32")
    graph.input("uniforms", ("samples", batch, head.uniforms), np.int32)
    graph.input("temperature", (batch,), np.float64)
    graph.input("params", params.shape)
    add_temperatures(graph, batch)
    draw = find(head, batch)
    for name in draw.prepare(graph):
        graph.node("Squeeze", f"now/{name}", f"call/{name}", graph.shape(0))
    sample, finite = draw.sample(graph, "params")
    graph.output(sample, (batch, 1), np.int64 if head.codes is not None else np.float32)
    graph.output(finite, (batch, 1))
    session = ort.InferenceSession(graph.model({}, rules.require).SerializeToString())
    feeds = {"uniforms": uniforms[None], "temperature": np.full(batch, temperature)}
    made, tells = session.run(None, {**feeds, "params": params})
    return made[:, 0].astype(head.sample_dtype), tells[:, 0]


def drawn_by_numpy(
    head: Head, params: NDArray[np.float32], uniforms: NDArray[np.int32], temperature: float
) -> Samples:
    out = np.empty(len(params), head.sample_dtype)
    inverse = inverse_temperatures(temperature, len(params))
    head.drawer(params, inverse)(uniforms, out)
    return out


HEADS_HERE = [
    Softmax(2),
    Softmax(256),
    Softmax(600, "linear"),
    Logistic(1),
    Logistic(4, min_log_scale=-7),
    Gaussian(1),
    Gaussian(3),
]


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("head", HEADS_HERE, ids=lambda head: f"{head.kind}{head.params}")
def test_it_draws_what_numpy_draws(head: Head, temperature: float) -> None:
    rng = np.random.default_rng(head.params)
    params = rng.standard_normal((500, head.params)).astype(np.float32) * 3
    if head.codes is None:
        params[:, -1] -= 3
    uniforms = rng.integers(0, 2**24, (500, head.uniforms), np.int32)
    uniforms[:4] = 0
    uniforms[4:8] = LAST
    found, finite = drawn_by_graph(head, params, uniforms, temperature)
    expected = drawn_by_numpy(head, params, uniforms, temperature)
    assert np.isfinite(finite).all()
    if temperature == 0 or head.codes is None:
        apart = np.abs(found.astype(np.float64) - expected)
        assert apart.max() <= head.rounding  # a class is itself, an amplitude may be rounded apart
        return
    scaled = params * inverse_temperatures(temperature, 1)
    for row in np.flatnonzero(found != expected):
        margin = head.margin(scaled[row], uniforms[row], found[row], expected[row])
        assert margin <= head.float_error(0)
    assert (found == expected).mean() > 0.99


@pytest.mark.parametrize("classes", [2, 11, 257])
def test_equal_classes_share_the_uniforms_to_the_last_one(classes: int) -> None:
    """All weights are 2^22: nothing is rounded."""
    edges = [-(-c * 2**24 // classes) for c in range(1, classes)]  # the first u of each class
    uniforms = np.array([0, *edges, *(edge - 1 for edge in edges), LAST], np.int32)[:, None]
    params = np.full((len(uniforms), classes), 0.3, np.float32)
    found, _ = drawn_by_graph(Softmax(classes), params, uniforms, 1.0)
    assert found.tolist() == [0, *range(1, classes), *range(classes - 1), classes - 1]


def test_temperature_zero_takes_the_lowest_of_equals_however_near_the_others_are() -> None:
    params = np.zeros((1, 11), np.float32)
    params[0, [2, 4, 7]] = 1e-44, np.nextafter(np.float32(1e-44), np.float32(1)), 1e-44
    for u in (0, LAST):
        found, _ = drawn_by_graph(Softmax(11), params, np.array([[u]], np.int32), 0.0)
        assert found.tolist() == [4]


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("head", HEADS_HERE, ids=lambda head: f"{head.kind}{head.params}")
def test_what_are_not_numbers_is_told(head: Head, value: float) -> None:
    params = np.full((2, head.params), value, np.float32)
    params[1] = 0
    uniforms = np.full((2, head.uniforms), 5, np.int32)
    found, finite = drawn_by_graph(head, params, uniforms, 1.0)
    assert np.isfinite(finite).tolist() == [False, True]
    if head.codes is not None:
        assert ((found >= 0) & (found < head.codes)).all(), "the next step would look it up"


def test_no_head_is_left_out() -> None:
    assert set(DRAWS) == set(HEADS.values())


@dataclass(frozen=True)
class Odd(Softmax):
    kind: ClassVar[str] = "test-odd"


def test_a_head_without_a_draw_is_refused() -> None:
    with pytest.raises(WavestepError, match="no generator graph can be made for a test-odd head"):
        find(Odd(), 1)
