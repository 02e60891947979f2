"""What every head has: temperatures by stream, and its code in C and CUDA beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import STEEPEST, Head, inverse_temperatures
from wn_runtime.heads.registry import HEADS


@pytest.mark.parametrize(
    ("temperature", "expected"),
    [
        (1.0, [1, 1, 1]),
        (2, [0.5, 0.5, 0.5]),
        (0, [0, 0, 0]),
        ([1.0, 0.0, 0.25], [1, 0, 4]),
        (np.array([4.0, 1.0, 2.0]), [0.25, 1, 0.5]),
        (np.float64(0.5), [2, 2, 2]),
        (1e-45, [STEEPEST] * 3),
        (5e-324, [STEEPEST] * 3),
    ],
)
def test_each_stream_has_the_inverse_of_its_temperature(
    temperature: float | Sequence[float], expected: list[float]
) -> None:
    inverse = inverse_temperatures(temperature, 3)
    assert inverse.dtype == np.float32
    assert inverse.tolist() == expected


@pytest.mark.parametrize(
    ("temperature", "message"),
    [
        (-0.1, "temperature is -0.1; it must be 0 .always the likeliest. or more"),
        (math.nan, "temperature is nan"),
        (math.inf, "temperature is inf"),
        ([1.0, -1.0, 1.0], "temperature is -1"),
        ([1.0, math.nan, 1.0], "temperature is nan"),
        ([1.0, 2.0], r"shape \(2,\); give one, or one for each of 3 streams"),
        ([[1.0], [1.0], [1.0]], r"shape \(3, 1\)"),
    ],
)
def test_what_is_no_temperature_is_told(temperature: float | Sequence[float], message: str) -> None:
    with pytest.raises(WavestepError, match=message):
        inverse_temperatures(temperature, 3)


def test_one_streams_inverse_cannot_be_changed_for_another() -> None:
    with pytest.raises(ValueError, match="read-only"):
        inverse_temperatures(0.5, 3)[0] = 1


@pytest.mark.parametrize("head", HEADS.values())
def test_a_heads_code_lies_beside_it(head: type[Head]) -> None:
    c, cuda = head().source(".h"), head().source(".cuh")
    assert c is not None
    assert "sample draw(float *" in c
    assert cuda is not None
    assert "Sample draw(const float *" in cuda
    assert head().source(".other") is None


@pytest.mark.parametrize("kind", HEADS)
def test_a_head_is_registered_by_its_kind_and_is_a_value(kind: str) -> None:
    head = HEADS[kind]
    assert head.kind == kind
    assert head() == head()
    assert hash(head()) == hash(head())
