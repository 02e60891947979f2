"""Barriers among some warps, all of a block, and all of a cluster; and what a missing one does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cuda_on_cpu.gpu import Misuse
from tests.cuda_on_cpu.launching import always, not_always, run

# Warp 0 writes rows to one shared row, which warp 1 takes: barrier 1 says full, 2 says empty.
PIPE = """
    SHARED_MEMORY(memory);
    u32 *row = (u32 *)memory;
    for (int i = 0; i < 20; i++) {
        if (me < 32) {
            row[me] = a[i * 32 + me];
            barrier_arrive(1, 64);
            barrier_sync(2, 64);
        } else {
            barrier_sync(1, 64);
            b[i * 32 + me - 32] = row[63 - me];
            barrier_arrive(2, 64);
        }
    }
"""
# One shared row that every thread reads from another's place, used again and again.
ROTATE = """
    SHARED_MEMORY(memory);
    u32 *row = (u32 *)memory, x = a[me];
    for (int i = 0; i < 10; i++) {
        row[me] = x;
        __syncthreads();
        x = row[(me + 33) % 128];
        __syncthreads();
    }
    b[me] = x;
"""


def pipes(body: str, seed: int) -> bool:
    rows = np.random.default_rng(seed).integers(0, 2**32, (20, 32), np.uint32)
    out = np.zeros_like(rows)
    run(body, rows, out, threads=64, shared=128, seed=seed)
    return np.array_equal(out, rows[:, ::-1])


def rotates(body: str, seed: int) -> bool:
    row = np.arange(128, dtype=np.uint32)
    out = np.zeros_like(row)
    run(body, row, out, threads=128, shared=512, seed=seed)
    return np.array_equal(out, np.roll(row, -330))


def test_producers_arrive_and_consumers_wait() -> None:
    always(lambda seed: pipes(PIPE, seed))


@pytest.mark.parametrize("number", [1, 2])
def test_a_row_is_not_passed_on_without_a_barrier(number: int) -> None:
    lines = [line for line in PIPE.splitlines() if f"({number}, 64)" not in line]
    not_always(lambda seed: pipes("\n".join(lines), seed))


def test_a_row_is_used_again_between_barriers() -> None:
    always(lambda seed: rotates(ROTATE, seed))


@pytest.mark.parametrize("number", [0, 1])
def test_a_row_that_is_used_again_without_one_is_a_race(number: int) -> None:
    parts = ROTATE.split("__syncthreads();")
    parts[number : number + 2] = [parts[number] + parts[number + 1]]
    not_always(lambda seed: rotates("__syncthreads();".join(parts), seed))


def test_warps_that_wait_for_each_other_are_told_at_once() -> None:
    body = "if (me < 32) { barrier_sync(1, 64); barrier_sync(2, 64); } "
    body += "else { barrier_sync(2, 64); barrier_sync(1, 64); }"
    with pytest.raises(Misuse, match=r"32 of block 0 wait at barrier 1 \(32 of 64 .*; 32 .*er 2"):
        run(body, threads=64)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("barrier_sync(16, 64);", "barrier 16"),
        ("barrier_sync(1, 48);", "for 48 threads: whole warps"),
        ("barrier_sync(1, 96);", "for 96 threads: whole warps"),
        (
            "barrier_arrive(1, me < 32 ? 64 : 128);",
            r"for (64|128) threads here, (64|128) elsewhere",
        ),
        ("if (me < 32) for (int i = 0; i < 2; i++) barrier_arrive(1, 64);", "arrives .* twice"),
        ("if (me > 2) __syncthreads();", "61 of block 0 wait at barrier 0"),
    ],
)
def test_misuse_of_a_barrier_is_told(body: str, said: str) -> None:
    with pytest.raises(Misuse, match=said):
        run(body, threads=128 if "128" in body else 64)


def test_a_launch_after_one_that_failed_starts_anew() -> None:
    with pytest.raises(Misuse):
        run("if (me < a) __syncthreads();", 5, threads=64)
    run("if (me < a) __syncthreads();", 64, threads=64)
