"""Arithmetic that the host's C++ has not, or a GPU does less exactly."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cuda_on_cpu.launching import run


def test_every_half_is_read() -> None:
    bits = np.arange(2**16, dtype=np.uint32)
    found = np.zeros(2**16, np.float32)
    run("for (int i = me; i < 65536; i += 32) b[i] = from_half(a[i]);", bits, found)
    expected = bits.astype(np.uint16).view(np.float16).astype(np.float32)
    assert np.array_equal(found, expected, equal_nan=True)
    assert np.array_equal(np.signbit(found), np.signbit(expected))


def test_halves_are_rounded_to_nearest_even() -> None:
    halves = np.arange(2**15, dtype=np.uint16).view(np.float16).astype(np.float32)
    finite = halves[np.isfinite(halves)]
    ties = (finite[1:] + finite[:-1]) / 2
    edges = [ties, np.nextafter(ties, np.float32(0)), np.nextafter(ties, np.float32(1e9)), finite]
    rest = np.array([65519.996, 65520, 1e6, np.inf, np.nan, 1e-40, 2.0**-25], np.float32)
    x = np.concatenate([*edges, rest])
    x = np.concatenate([x, -x])
    found = np.zeros(len(x), np.uint32)
    run("for (int i = me; i < c; i += 32) b[i] = half_bits(a[i]);", x, found, len(x))
    with np.errstate(over="ignore"):
        expected = x.astype(np.float16)
    rounded = found.astype(np.uint16).view(np.float16)
    assert np.array_equal(rounded, expected, equal_nan=True)
    numbers = ~np.isnan(x)
    assert np.array_equal(np.signbit(rounded)[numbers], np.signbit(expected)[numbers])


@pytest.mark.parametrize(
    ("call", "exact", "error"),
    [
        ("exp2_fast", np.exp2, 2.0**-22),
        ("reciprocal_fast", np.reciprocal, 2.0**-23),
        ("tanh_fast", np.tanh, 2.0**-11),
    ],
)
def test_fast_functions_are_as_close_as_said(call: str, exact: np.ufunc, error: float) -> None:
    x = np.concatenate([np.linspace(-9, 9, 5000), np.geomspace(1e-6, 1, 500)]).astype(np.float32)
    found = np.zeros_like(x)
    run(f"for (int i = me; i < c; i += 32) b[i] = {call}(a[i]);", x, found, len(x))
    expected = exact(x.astype(np.float64))
    assert (np.abs(found - expected) <= error * np.abs(expected)).all()


def test_tanh_is_no_closer_than_a_gpu_s() -> None:
    x = np.linspace(0.1, 2, 1000).astype(np.float32)
    found = np.zeros_like(x)
    run("for (int i = me; i < 1000; i += 32) b[i] = tanh_fast(a[i]);", x, found)
    assert np.abs(found / np.tanh(x.astype(np.float64)) - 1).max() > 2.0**-13


def test_what_is_too_small_for_a_float_is_zero() -> None:
    x = np.array([-127, 1e-39, -2e-39] * 11, np.float32)[:32]
    found = np.zeros_like(x)
    run("b[me] = me % 3 == 0 ? exp2_fast(a[me]) : reciprocal_fast(a[me]);", x, found)
    assert found[:3].tolist() == [0, np.inf, -np.inf]
