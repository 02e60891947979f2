"""Mixtures over 16-bit samples: mass 1, draws that follow it, ends, temperatures and margins."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from numpy.typing import NDArray

from wn_runtime.errors import WavestepError
from wn_runtime.heads import pcm16
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import inverse_temperatures
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.mixture import Mixture

Row = NDArray[np.float32]
FAMILIES = [Logistic(1), Logistic(10), Gaussian(), Gaussian(4)]
EVERY_U = np.arange(0, 2**24, 2**9, dtype=np.int32)
"""32,768 evenly spaced uniforms."""


def some_params(head: Mixture, log_scale: float, seed: int = 0) -> Row:
    """(A,): logits and means around 0, log scales around the one given."""
    row = np.random.default_rng(seed).standard_normal(head.params).astype(np.float32)
    row[-2 * head.components : -head.components] *= 0.3
    row[-head.components :] += log_scale
    return row


def masses(head: Mixture, row: Row) -> NDArray[np.float64]:
    """Of all 65,536 samples."""
    every = pcm16.every()
    bits = head.bits(np.broadcast_to(row, (len(every), len(row))), every)
    return np.exp2(-bits.astype(np.float64))


def draws(head: Mixture, row: Row, uniforms: NDArray[np.int32], temperature: float = 1.0) -> Row:
    """Samples (n,) from one row of params, as of n streams."""
    n = len(uniforms)
    out = np.empty(n, np.float32)
    params = np.tile(row, (n, 1))
    head.drawer(params, inverse_temperatures(temperature, n))(uniforms, out)
    return out


@pytest.mark.parametrize("log_scale", [4, 0, -3, -6, -9, -12])
@pytest.mark.parametrize("head", FAMILIES, ids=repr)
def test_the_mass_of_all_samples_is_one(head: Mixture, log_scale: float) -> None:
    total = masses(head, some_params(head, log_scale)).sum()
    assert total == pytest.approx(1, abs=3e-6)  # float32 bits


def test_a_scale_below_the_least_counts_as_the_least() -> None:
    head = Logistic(1, min_log_scale=-7)
    low, least = np.array([0.1, -20], np.float32), np.array([0.1, -7], np.float32)
    np.testing.assert_array_equal(masses(head, low), masses(head, least))
    u = np.stack([EVERY_U, EVERY_U], axis=1)
    np.testing.assert_array_equal(draws(head, low, u), draws(head, least, u))


def test_the_ends_have_the_open_tails() -> None:
    row = np.array([1.0, np.log(0.1)], np.float32)  # half of it lies above full scale
    assert masses(Logistic(1), row)[-1] == pytest.approx(0.5, abs=1e-3)
    assert masses(Gaussian(1), row * np.array([-1, 1], np.float32))[0] == pytest.approx(
        0.5, abs=1e-3
    )


def test_the_quantile_of_the_gaussian_is_the_normal_ones() -> None:
    odd = 2 * np.concatenate([EVERY_U, [1, 2, 2**24 - 1]]).astype(np.int32) + 1
    normal = statistics.NormalDist()
    expected = [normal.inv_cdf(int(each) / 2**25) for each in odd]
    np.testing.assert_allclose(Gaussian().quantile(odd), expected, atol=2e-6)


def test_the_quantile_of_the_logistic_inverts_it() -> None:
    odd = 2 * EVERY_U + 1
    y = Logistic().quantile(odd).astype(np.float64)
    np.testing.assert_allclose(1 / (1 + np.exp(-y)), odd / 2**25, rtol=2e-6)


@pytest.mark.parametrize("log_scale", [-1, -5, -9])
@pytest.mark.parametrize("head", FAMILIES, ids=repr)
def test_draws_follow_the_masses(head: Mixture, log_scale: float) -> None:
    row = some_params(head, log_scale)
    rng = np.random.default_rng(1)
    u = np.stack([rng.permutation(EVERY_U), rng.permutation(EVERY_U)], axis=1)
    codes = np.rint(draws(head, row, u) * 32768).astype(np.int64) + 32768
    below = np.cumsum(masses(head, row))
    found = np.cumsum(np.bincount(codes, minlength=65536)) / len(u)
    # Kolmogorov's distance; 32,768 stratified draws of two uniforms.
    assert np.abs(found - below).max() < 0.01


@pytest.mark.parametrize("head", FAMILIES, ids=repr)
def test_a_sample_lies_on_the_grid_and_in_range(head: Mixture) -> None:
    rng = np.random.default_rng(2)
    u = rng.integers(0, 2**24, (2000, 2), np.int32)
    drawn = draws(head, some_params(head, 3), u)
    assert {-1.0, 32767 / 32768} <= set(drawn.tolist())
    np.testing.assert_array_equal(drawn, pcm16.encode(drawn))


def test_temperature_0_is_the_mean_of_the_likeliest_component() -> None:
    head = Logistic(3)
    row = np.array([0, 2, 2, 0.1, 0.25, 0.3, -1, -1, -1], np.float32)
    u = np.random.default_rng(0).integers(0, 2**24, (50, 2), np.int32)
    assert set(draws(head, row, u, 0.0)) == {0.25}


def test_a_lower_temperature_narrows_both_scale_and_choice() -> None:
    head = Gaussian(2)
    row = np.array([0, 1, -0.5, 0.5, -4, -4], np.float32)
    u = np.random.default_rng(0).integers(0, 2**24, (4000, 2), np.int32)
    warm, cold = draws(head, row, u), draws(head, row, u, 0.5)
    assert (warm > 0).mean() == pytest.approx(1 / (1 + np.exp(-1)), abs=0.02)
    assert (cold > 0).mean() == pytest.approx(1 / (1 + np.exp(-2)), abs=0.02)
    assert warm[warm > 0].std() == pytest.approx(np.exp(-4), rel=0.05)
    assert cold[cold > 0].std() == pytest.approx(np.exp(-4) / 2, rel=0.05)


@pytest.mark.parametrize("head", FAMILIES, ids=repr)
def test_streams_are_drawn_alike_alone_and_side_by_side(head: Mixture) -> None:
    rng = np.random.default_rng(3)
    params = np.stack([some_params(head, -2, seed) for seed in range(5)])
    u = rng.integers(0, 2**24, (5, 2), np.int32)
    temperatures = [1.0, 0.5, 0.0, 2.0, 1.0]
    together, alone = np.empty(5, np.float32), np.empty(5, np.float32)
    head.drawer(params, inverse_temperatures(temperatures, 5))(u, together)
    for b, temperature in enumerate(temperatures):
        one = params[b : b + 1].copy()
        head.drawer(one, inverse_temperatures(temperature, 1))(u[b : b + 1], alone[b : b + 1])
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize("head", FAMILIES, ids=repr)
def test_params_that_are_not_numbers_are_told(head: Mixture) -> None:
    u = np.zeros((1, 2), np.int32)
    with pytest.raises(WavestepError, match="the network overflows in this precision"):
        draws(head, np.full(head.params, np.nan, np.float32), u)


def test_the_margin_tells_a_rounding_from_another_sample() -> None:
    head, u = Logistic(1), np.array([2**23, 0], np.int32)
    row = np.array([0.1, -5], np.float32)
    one = draws(head, row, u[None])[0]
    assert head.margin(row, u, one, one + pcm16.STEP) <= head.float_error(1e-6)
    assert head.margin(row, u, one, one + 9 * pcm16.STEP) > head.float_error(1e-5)
    assert head.margin(row, u, one, one + 9 * pcm16.STEP) <= head.float_error(1e-3)


def test_at_the_border_of_two_components_either_may_be_drawn() -> None:
    head = Logistic(2)
    row = np.array([0, 0, -0.5, 0.5, -5, -5], np.float32)
    at, far = np.array([0, 2**23], np.int32), np.array([0, 2**22], np.int32)
    assert head.margin(row, at, -0.5, 0.5) <= head.float_error(1e-6)
    assert head.margin(row, far, -0.5, 0.5) > head.float_error(1e-2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"components": 0}, "components is 0; it must be 1 to 256"),
        ({"components": 257}, "components is 257"),
        ({"min_log_scale": -17.0}, "min_log_scale is -17.0; it must be -16 to 0"),
        ({"min_log_scale": float("nan")}, "min_log_scale is nan"),
    ],
)
def test_what_is_no_mixture_is_told(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Logistic(**arguments)  # type: ignore[arg-type]
