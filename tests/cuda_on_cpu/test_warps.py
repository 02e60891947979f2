"""What the lanes of a warp do together, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.cuda_on_cpu.gpu import Misuse
from tests.cuda_on_cpu.launching import always, run

LANE = np.arange(32)


SHUFFLES = {
    "__shfl_sync(ALL_LANES, x, 7 * me % 32)": 7 * LANE % 32,
    "__shfl_sync(ALL_LANES, x, 3, 8)": LANE // 8 * 8 + 3,
    "__shfl_xor_sync(ALL_LANES, x, 5)": LANE ^ 5,
    "__shfl_xor_sync(ALL_LANES, x, 8, 8)": np.where(LANE & 8, LANE ^ 8, LANE),
    "__shfl_up_sync(ALL_LANES, x, 4)": np.where(LANE < 4, LANE, LANE - 4),
    "__shfl_up_sync(ALL_LANES, x, 3, 16)": np.where(LANE % 16 < 3, LANE, LANE - 3),
    "__shfl_down_sync(ALL_LANES, x, 9)": np.where(LANE + 9 > 31, LANE, LANE + 9),
    "__shfl_down_sync(ALL_LANES, x, 1, 4)": np.where(LANE % 4 == 3, LANE, LANE + 1),
}


@pytest.mark.parametrize(
    ("kind", "dtype"), [("u32", "u4"), ("int", "i4"), ("u64", "u8"), ("float", "f4")]
)
def test_a_shuffle_hands_over_another_lane_s_value(kind: str, dtype: str) -> None:
    bits = np.random.default_rng(1).integers(0, 2**62, 32).astype("u8")
    values = (bits >> 20).astype(dtype) if dtype == "f4" else bits.astype(dtype)
    out = np.zeros((len(SHUFFLES), 32), dtype)
    calls = "".join(f"to[{32 * i} + me] = {call};" for i, call in enumerate(SHUFFLES))
    run(f"{kind} x = (({kind} *)a)[me], *to = ({kind} *)b; {calls}", values, out)
    for call, row, source in zip(SHUFFLES, out, SHUFFLES.values(), strict=True):
        assert np.array_equal(row, values[source]), call


def test_a_vote_has_a_bit_for_each_lane() -> None:
    values = np.random.default_rng(2).integers(0, 2, 32).astype(np.uint32)
    votes = np.zeros(32, np.uint32)
    run("b[me] = __ballot_sync(ALL_LANES, a[me] << 4);", values, votes)
    assert (votes == (values << LANE).sum()).all()


def fragments(matrix: NDArray[Any], each: int) -> NDArray[np.uint32]:
    """Registers (32, R) of an A (16, K); of a B (K, 8) as its transpose.

    PTX ISA, "Matrix fragments for mma.m16n8k16 with floating point type" and "... mma.m16n8k32".
    """
    rows, columns = matrix.shape
    registers = []
    for register in range(rows * columns // (32 * each)):
        low_rows = register % (rows // 8)
        right_half = register // (rows // 8)
        row = LANE // 4 + 8 * low_rows
        column = LANE % 4 * each + right_half * 4 * each
        parts = [matrix[row, column + i] for i in range(each)]
        registers.append(np.ascontiguousarray(np.stack(parts, 1)).view(np.uint32)[:, 0])
    return np.stack(registers, 1)


def accumulator(c: NDArray[Any]) -> NDArray[Any]:
    """A C (16, 8) from registers (32, 4)."""
    matrix = np.zeros((16, 8), c.dtype)
    for i in range(4):
        matrix[LANE // 4 + 8 * (i // 2), LANE % 4 * 2 + i % 2] = c[:, i]
    return matrix


MMA = """
    {type} sum[4];
    for (int i = 0; i < 4; i++) sum[i] = (({type} *)c)[4 * me + i];
    {call}(sum, ((uint4 *)a)[me], ((uint2 *)b)[me]);
    for (int i = 0; i < 4; i++) (({type} *)c)[4 * me + i] = sum[i];
"""


@pytest.mark.parametrize("seed", range(4))
def test_mma_half_is_a_product_of_halves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.standard_normal(shape).astype(np.float16) for shape in ((16, 16), (16, 8)))
    c = rng.standard_normal((32, 4)).astype(np.float32)
    expected = accumulator(c) + a.astype(np.float64) @ b.astype(np.float64)
    body = MMA.format(type="float", call="mma_half")
    run(body, fragments(a, 2), fragments(b.T, 2), c, seed=seed)
    np.testing.assert_allclose(accumulator(c), expected, atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_mma_int8_is_a_product_of_bytes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(-128, 128, shape).astype(np.int8) for shape in ((16, 32), (32, 8)))
    if seed == 0:
        a[:], b[:] = -128, -128
    c = rng.integers(-(2**30), 2**30, (32, 4)).astype(np.int32)
    expected = accumulator(c) + a.astype(np.int32) @ b.astype(np.int32)
    body = MMA.format(type="int", call="mma_int8")
    run(body, fragments(a, 4), fragments(b.T, 4), c, seed=seed)
    assert np.array_equal(accumulator(c), expected)


def test_exchanges_in_a_row_do_not_mix() -> None:
    """Also where lanes take ways of different lengths in between, and warps are many."""
    body = """
        u32 x = me, y = me;
        for (int i = 0; i < 50; i++) {
            x = __shfl_xor_sync(ALL_LANES, x, i % 31 + 1) + 1;
            if (me % 3 == i % 3) y += x;
            y = __shfl_down_sync(ALL_LANES, y, i % 5);
        }
        a[me] = x;
        b[me] = y;
    """
    lane = np.arange(96) % 32
    x, y = np.arange(96), np.arange(96)
    for i in range(50):
        x = x[np.arange(96) // 32 * 32 + (lane ^ (i % 31 + 1))] + 1
        y = y + np.where(np.arange(96) % 3 == i % 3, x, 0)
        y = np.where(lane + i % 5 > 31, y, np.roll(y, -(i % 5)))

    def check(seed: int) -> bool:
        a, b = (np.zeros(96, np.uint32) for _ in range(2))
        run(body, a, b, threads=96, seed=seed)
        return np.array_equal(a, x.astype(np.uint32)) and np.array_equal(b, y.astype(np.uint32))

    always(check)


@pytest.mark.parametrize(
    ("body", "threads", "said"),
    [
        ("if (me < 20) __syncwarp();", 32, r"20 of block 0 wait in __syncwarp \(20 of 32 lanes"),
        ("if (me < 20) __syncwarp(); else __ballot_sync(ALL_LANES, 1);", 32, "meet in .* and in"),
        ("__ballot_sync(0xffff, 1);", 32, "lanes 0xffff"),
        ("__syncwarp();", 48, "a warp of 16 threads"),
    ],
)
def test_lanes_that_do_not_come_together_are_told(body: str, threads: int, said: str) -> None:
    with pytest.raises(Misuse, match=said):
        run(body, threads=threads)
