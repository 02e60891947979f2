"""The softmax head: its draw is on integers, follows the softmax, and is the same in any batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from tests.models.specs import random_uniforms
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import inverse_temperatures
from wn_runtime.heads.softmax import Softmax

LAST = 2**24 - 1
Ints = NDArray[np.int32]
Temperature = float | Sequence[float]


def draw(logits: ArrayLike, uniforms: ArrayLike, temperature: Temperature = 1.0) -> Ints:
    """Classes (B,) of logits (B, A), or (A,) for all streams, and uniforms (B,)."""
    each = np.asarray(uniforms, np.int32)[:, None]
    given = np.asarray(logits, np.float32)
    params = np.ascontiguousarray(np.broadcast_to(given, (len(each), given.shape[-1])))
    out = np.empty(len(each), np.int32)
    inverse = inverse_temperatures(temperature, len(each))
    Softmax(params.shape[1]).drawer(params, inverse)(each, out)
    return out


def plain_draw(logits: NDArray[np.float32], uniform: int, temperature: float) -> int:
    """The definition, in Python's integers."""
    if temperature == 0:
        return int(np.argmax(logits))
    steep = np.float32(1 / temperature)
    scores = [(logit - logits.max()) * steep for logit in logits]
    weights = [round(float(np.exp(score) * np.float32(2**22))) for score in scores]
    threshold, below = (uniform * sum(weights)) >> 24, 0
    for c, weight in enumerate(weights):
        below += weight
        if below > threshold:
            return c
    raise AssertionError("no class is above the threshold")


@pytest.mark.parametrize("temperature", [1.0, 0.6, 3.0, 0.0])
@pytest.mark.parametrize("classes", [2, 11, 256, 1000])
def test_the_class_is_the_first_whose_cumulative_weight_exceeds_u_of_the_sum(
    classes: int, temperature: float
) -> None:
    rng = np.random.default_rng(classes)
    logits = (3 * rng.standard_normal((60, classes))).astype(np.float32)
    uniforms = np.concatenate([[0, LAST], random_uniforms(58)[:, 0, 0]])
    expected = [plain_draw(*each, temperature) for each in zip(logits, uniforms, strict=True)]
    assert draw(logits, uniforms, temperature).tolist() == expected
    alone = [draw(logits[i], uniforms[i : i + 1], temperature)[0] for i in range(60)]
    assert alone == expected  # one stream has a path of its own


@pytest.mark.parametrize("classes", [3, 11, 255])
def test_equal_classes_share_the_uniforms_to_the_last_one(classes: int) -> None:
    edges = [-(-c * 2**24 // classes) for c in range(1, classes)]  # the first u of each class
    uniforms = np.array([*edges, *(edge - 1 for edge in edges)])
    expected = [*range(1, classes), *range(classes - 1)]
    assert draw(np.zeros(classes), uniforms).tolist() == expected


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_softmax(temperature: float) -> None:
    logits = np.array([0.3, -1, 2, 0, 1])
    p = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
    n = 100_000
    drawn = draw(logits, (np.arange(n) + 0.5) / n * 2**24, temperature)
    assert (np.diff(drawn) >= 0).all()  # the inverse of a cumulative sum rises with the uniform
    np.testing.assert_allclose(np.bincount(drawn, minlength=5) / n, p, atol=2e-5)


def test_every_stream_has_a_temperature_of_its_own() -> None:
    rng = np.random.default_rng(0)
    logits = (4 * rng.standard_normal((200, 30))).astype(np.float32)
    uniforms = random_uniforms(200)[:, 0, 0]
    temperatures = [[1.0, 0.0, 0.4, 2.0][i % 4] for i in range(200)]
    together = draw(logits, uniforms, temperatures)
    alone = [draw(logits[i], uniforms[i : i + 1], temperatures[i])[0] for i in range(200)]
    assert together.tolist() == alone
    assert (together != draw(logits, uniforms, 1.0)).any()


def test_a_drawer_draws_from_what_its_memory_holds_at_the_time() -> None:
    for streams in (1, 2):
        params, out = np.zeros((streams, 4), np.float32), np.empty(streams, np.int32)
        bound = Softmax(4).drawer(params, inverse_temperatures(1.0, streams))
        for likeliest in (3, 0, 2):
            params[:] = -100
            params[:, likeliest] = 0
            kept = params.copy()
            bound(random_uniforms(streams)[:, 0], out)
            assert (out == likeliest).all()
            assert np.array_equal(params, kept)


def test_a_temperature_that_changes_later_is_not_the_drawers() -> None:
    inverse = np.ones(2, np.float32)
    bound = Softmax(2).drawer(np.array([[0, 1]] * 2, np.float32), inverse)
    inverse[:] = 0.01  # nearly uniform
    out = np.empty(2, np.int32)
    bound(np.full((2, 1), 0.3 * 2**24, np.int32), out)
    assert out.tolist() == [1, 1]  # of 0.27 and 0.73


@pytest.mark.parametrize("streams", [1, 2])
def test_temperature_zero_is_the_likeliest_class_and_the_lowest_of_equals(streams: int) -> None:
    assert (draw([1, 3, 3, 2], [LAST] * streams, 0) == 1).all()
    assert (draw([-1e9, -2e9], [LAST] * streams, 0) == 0).all()


@pytest.mark.parametrize("temperature", [1e-45, 1e-3, 1.0])
def test_extreme_logits_and_uniforms_draw_a_class_that_can_be(temperature: float) -> None:
    for uniform in (0, LAST):
        for streams in (1, 2):
            uniforms = [uniform] * streams
            assert (draw([-1e8, 0, -1e8], uniforms, temperature) == 1).all()
            everywhere = draw(np.full(256, 1e4), uniforms, temperature)
            assert (everywhere == (255 if uniform else 0)).all()
    # A class of weight 0 is never drawn, not even the first or the last.
    assert draw([-1e4, 0, 0, -1e4], [0, LAST], temperature).tolist() == [1, 2]


def test_next_to_temperature_zero_only_equals_share_the_draw() -> None:
    almost = np.nextafter(np.float32(1), np.float32(0))
    assert draw([almost, 1, 0.5, 1], [0, 2**23 - 1, 2**23, LAST], 1e-45).tolist() == [1, 1, 3, 3]


def test_bits_are_minus_log2_of_the_probability() -> None:
    head, logits = Softmax(5), np.array([[0.3, -1, 2, 0, 1]] * 5, np.float32)
    p = np.exp(logits[0].astype(float))
    bits = head.bits(logits, np.arange(5))
    np.testing.assert_allclose(bits, -np.log2(p / p.sum()), rtol=1e-6)
    assert bits.dtype == np.float32
    assert head.bits(np.zeros((2, 3, 256), np.float32), np.zeros((2, 3), int)) == pytest.approx(8)
    far = np.array([0, 1e4, 0], np.float32)
    assert Softmax(3).bits(far, np.array(1)) == 0
    assert Softmax(3).bits(far, np.array(0)) == pytest.approx(1e4 / math.log(2))


def test_float_error_bounds_the_margin_of_draws_that_an_error_explains() -> None:
    head, rng = Softmax(30), np.random.default_rng(1)
    margins, error = [], 1e-3
    logits = (2 * rng.standard_normal((20_000, 30))).astype(np.float32)
    off = logits + rng.uniform(-error, error, logits.shape).astype(np.float32)
    uniforms = random_uniforms(20_000)[:, 0]
    ones, others = draw(logits, uniforms[:, 0]), draw(off, uniforms[:, 0])
    for i in np.flatnonzero(ones != others):
        margins.append(head.margin(logits[i], uniforms[i], ones[i], others[i]))
    assert len(margins) > 5
    assert max(margins) <= head.float_error(error)


def test_a_class_that_no_error_explains_has_a_wide_margin() -> None:
    head, middle = Softmax(4), np.array([2**23], np.int32)
    logits = np.zeros(4, np.float32)
    assert head.margin(logits, middle, 2, 0) == pytest.approx(0, abs=1e-7)  # on the edge of 1 and 2
    assert head.margin(logits, middle, 3, 2) == pytest.approx(0.25, abs=1e-7)
    assert head.margin(logits, middle, 2, 2) == 0
    assert head.float_error(1e-6) < 1e-4


def test_a_sample_is_a_class_of_mu_law() -> None:
    head = Softmax(16)
    assert (head.params, head.codes, head.silence, head.uniforms) == (16, 16, 8, 1)
    assert head.sample_dtype == np.int32
    assert head.encode(np.array([-2.0, 0.0, 2.0])).tolist() == [0, 8, 15]
    assert np.array_equal(head.encode(head.decode(np.arange(16))), np.arange(16))


@pytest.mark.parametrize("samples", [[0, 16], [-1, 3], [[1, 2], [3, 10**6]]])
def test_what_is_no_class_is_told(samples: ArrayLike) -> None:
    with pytest.raises(
        WavestepError, match=r"clip are -?\d+ to \d+; this model's classes are 0 to"
    ):
        Softmax(16).check(np.asarray(samples), "clip")


def test_classes_of_any_integer_type_are_taken() -> None:
    checked = Softmax(16).check(np.array([0, 15], np.int64))
    assert checked.dtype == np.int32
    assert checked.tolist() == [0, 15]
    assert Softmax(16).check(np.zeros((0, 3), np.int16)).shape == (0, 3)


@pytest.mark.parametrize("classes", [0, 1, 65537])
def test_a_number_of_classes_that_cannot_be_is_told(classes: int) -> None:
    with pytest.raises(ValueError, match=f"classes is {classes}; it must be 2 to 65536"):
        Softmax(classes)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nothing_is_drawn_from_what_are_not_numbers(bad: float) -> None:
    logits = np.zeros((2, 8), np.float32)
    logits[1, 3] = bad
    with np.errstate(invalid="ignore"):
        for rows in (logits, logits[1:]):
            with pytest.raises(WavestepError, match="not numbers"):
                draw(rows, [0] * len(rows))
