"""Packed weights: rounded to nearest, in memory that C may read in whole vectors."""

from __future__ import annotations

import numpy as np
import pytest

from wn_runtime.engines.native.pack import Tiles, _tiled, aligned_zeros, remainder, to_bfloat16
from wn_runtime.engines.quantise import quantise


@pytest.mark.parametrize("size", [1, 4096, 1 << 20])
def test_memory_is_zero_and_begins_where_a_vector_may(size: int) -> None:
    memory = aligned_zeros(size)
    assert memory.nbytes == size
    assert memory.ctypes.data % 64 == 0
    assert not memory.any()


def test_more_memory_than_there_is_is_told() -> None:
    with pytest.raises(MemoryError, match="bytes"):
        aligned_zeros(1 << 60)


def test_bfloat16_is_the_nearest_and_the_even_one_of_two() -> None:
    step = 2.0**-7  # of bfloat16, from 1 on
    values = [1, 1 + step / 2, 1 + 1.5 * step, 1 + 0.49 * step, 1 + 0.51 * step, -1 - step, 0]
    found = (to_bfloat16(np.array(values)).astype(np.uint32) << 16).view(np.float32)
    assert found.tolist() == [1, 1, 1 + 2 * step, 1, 1 + step, -1 - step, 0]


def test_int8_is_within_half_a_step_of_each_columns_own_scale() -> None:
    rng = np.random.default_rng(0)
    matrix = (rng.standard_normal((50, 4)) * [1e-3, 1, 100, 0]).astype(np.float32)
    whole, scale = quantise(matrix)
    assert whole.dtype == np.int8
    assert np.abs(whole).max(axis=0).tolist() == [127, 127, 127, 0]
    assert (np.abs(whole * scale - matrix) <= 0.501 * scale).all()
    rest, finer = quantise(remainder(matrix))
    error = np.abs(whole * scale + rest * finer - matrix)
    assert (error <= scale / 250 + 1e-6 * np.abs(matrix)).all(), "two int8 are 15 bits together"


@pytest.mark.parametrize("apart", [4, 8])
def test_two_columns_share_a_word_of_which_each_is_read_with_one_operation(apart: int) -> None:
    """products.h: the upper byte, and the word less 256 times that and less 128."""
    rng = np.random.default_rng(0)
    matrix = rng.integers(-127, 128, (6, 4 * apart), np.int8)  # (k, n)
    tiles = Tiles(columns=2 * apart, group=2, apart=apart)
    words = _tiled(matrix, tiles).view("<i2").reshape(2, 3, apart, 2)  # tile, k/2, lane, input
    upper = words >> 8
    lower = words - 256 * upper - 128
    for tile in range(2):
        for found, first in ((lower, 0), (upper, apart)):
            columns = matrix[:, 2 * apart * tile + first :][:, :apart]
            expected = columns.reshape(3, 2, apart).swapaxes(1, 2)
            np.testing.assert_array_equal(found[tile], expected)
