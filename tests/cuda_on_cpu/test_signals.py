"""Signals, and what is written to shared memory while threads go on."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cuda_on_cpu.gpu import Misuse
from tests.cuda_on_cpu.launching import always, not_always, run

# Each block sends its row to all of its cluster, three times, and adds up what it has got;
# cluster_sync says that the rows are free again.
TO_ALL = """
    SHARED_MEMORY(memory);
    Signal *signal = (Signal *)memory;
    u32 *rows = (u32 *)(memory + 16);  // [blocks][32]
    const int blocks = b, rank = cluster_rank();
    u32 sum = 0;
    if (me == 0) signal_open(signal, 1);
    cluster_sync();
    for (int i = 0; i < 3; i++) {
        if (me == 0) signal_expect(signal, blocks * 128);
        for (int to = 0; to < blocks; to++)
            send(remote(rows + rank * 32 + me, to), a[(i * blocks + rank) * 32 + me],
                 remote(signal, to));
        signal_wait(signal, i % 2);
        for (int from = 0; from < blocks; from++) sum = 3 * sum + rows[from * 32 + me];
        cluster_sync();
    }
    c[blockIdx.x * 32 + me] = sum;
"""
FILL = """
    SHARED_MEMORY(memory);
    Signal *signal = (Signal *)memory;
    u32 *copy = (u32 *)(memory + 128);
    if (me == 0) signal_open(signal, FILLERS);
    __syncthreads();
    for (int i = 0; i < 4; i++) {
        if (me < 32) fill(copy, a + i * 404, 1616, signal);
        signal_wait(signal, i % 2);
        for (int at = me; at < 404; at += 64) b[i * 404 + at] = copy[at] + 1;
        __syncthreads();
    }
"""
OPENED = """
    SHARED_MEMORY(memory);
    Signal *signal = (Signal *)memory;
    if (me == 0) signal_open(signal, 1);
    cluster_sync();
"""


def reaches_all(body: str, seed: int) -> bool:
    blocks = 4
    values = np.random.default_rng(seed).integers(0, 2**32, (3, blocks, 32), np.uint32)
    out = np.zeros((blocks, 32), np.uint32)
    run(body, values, blocks, out, cluster=blocks, shared=16 + blocks * 128, seed=seed)
    expected = np.zeros(32, np.uint32)
    for row in values.reshape(-1, 32):
        expected = 3 * expected + row
    return bool((out == expected).all())


def fills(body: str, arch: str, seed: int) -> bool:
    values = np.random.default_rng(seed).integers(0, 2**31, 4 * 404 + 4).astype(np.uint32)
    start = -values.ctypes.data % 16 // 4
    source = values[start : start + 4 * 404]
    out = np.zeros_like(source)
    run(body, source, out, threads=64, shared=128 + 1616, seed=seed, arch=arch)
    return np.array_equal(out, source + 1)


def test_what_blocks_of_a_cluster_send_is_there_after_its_signal() -> None:
    always(lambda seed: reaches_all(TO_ALL, seed))


@pytest.mark.parametrize(
    "missing",
    [
        "signal_wait(signal, i % 2);",
        "        cluster_sync();",
        "signal_expect(signal, blocks * 128)",
    ],
)
def test_it_is_not_without(missing: str) -> None:
    assert missing in TO_ALL
    not_always(lambda seed: reaches_all(TO_ALL.replace(missing, ""), seed))


@pytest.mark.parametrize("arch", ["80", "90"])
def test_a_copy_is_there_after_its_signal(arch: str) -> None:
    always(lambda seed: fills(FILL, arch, seed))


@pytest.mark.parametrize("arch", ["80", "90"])
@pytest.mark.parametrize("missing", ["signal_wait(signal, i % 2);", "        __syncthreads();"])
def test_a_copy_is_not_without(missing: str, arch: str) -> None:
    assert missing in FILL
    not_always(lambda seed: fills(FILL.replace(missing, ""), arch, seed))


def test_a_signal_that_never_comes_is_told() -> None:
    body = OPENED + "if (me == 0) signal_expect(signal, 12); else signal_wait(signal, 0);"
    said = r"31 of block 1 wait for phase 0 of the signal at byte 0 \(0 arrivals, 12 bytes to come"
    with pytest.raises(Misuse, match=said):
        run(body, cluster=2, shared=16)


MISUSE = (
    ("signal_wait(signal + 1, 0);", "byte 8 of block . is used before it was opened"),
    ("signal_wait(signal + 2, 0);", "not in the shared memory"),
    ("if (me < 2) signal_expect(signal, 4);", "more arrive at the signal .* than its 1"),
    ("signal_expect(signal, 1 << 20);", "counts 1048575 bytes at most"),
    ("signal_open(signal, 0);", "1 to 1048575 arrivals, not 0"),
    ("remote(memory + 16, 1);", "byte 16 of a block that has 16"),
    ("remote(memory + 8, 2);", "block 2 of a cluster of 2"),
    ("send(remote(memory + 9, 1), 5, remote(signal, 1));", "send to byte 9"),
    ("send(remote(memory + 8, 1), 5, remote(signal, 0));", "signal of another block"),
    (
        "send(remote(memory + 12, 1), make_float2(1, 2), remote(signal, 1));",
        "eight bytes to byte 12",
    ),
    (
        "if (me == 0) send(remote(memory + 8, 1), 5, remote(signal, 1));",
        "ended before|has ended",
    ),
    ("fill(memory, (const void *)32, 8, signal);", "fill of 8 bytes .* multiples of 16"),
    ("fill(memory, (const void *)40, 16, signal);", "multiples of 16"),
    ("fill(memory + 8, (const void *)32, 16, signal);", "multiples of 16"),
    ("fill(memory, (const void *)32, 32, signal);", "to byte 0 of a block that has 16"),
)
# One program, as each takes seconds to compile; its argument says which.
MISUSED = OPENED + "".join(f"if (a == {i}) {{ {body} }}\n" for i, (body, _) in enumerate(MISUSE))


@pytest.mark.parametrize("number", range(len(MISUSE)), ids=[body for body, _ in MISUSE])
def test_misuse_is_told(number: int) -> None:
    with pytest.raises(Misuse, match=MISUSE[number][1]):
        run(MISUSED, number, cluster=2, shared=16)
