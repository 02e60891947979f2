"""What blocks hand to each other by flags in global memory, all of them running at once."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cuda_on_cpu.gpu import Misuse
from tests.cuda_on_cpu.launching import always, not_always, run

# A number goes round all blocks three times, each adds its own.
ROUND = """
    Flagged *places = (Flagged *)a;  // [blocks][32]
    const int blocks = b, rank = blockIdx.x, next = (rank + 1) % blocks;
    if (rank == 0) post(places + me, me, 1);
    for (u32 i = 1; i <= 3; i++) {
        const u32 got = collect<u32>(places + rank * 32 + me, i);
        c[((i - 1) * blocks + rank) * 32 + me] = got;
        if (next || i < 3) post(places + next * 32 + me, got + rank + 1, i + !next);
    }
"""
BLOCKS = 5


def goes_round(body: str, seed: int, together: bool = True) -> bool:
    places = np.zeros((BLOCKS, 32, 2), np.uint32)
    out = np.zeros((3, BLOCKS, 32), np.uint32)
    run(body, places, BLOCKS, out, blocks=BLOCKS, seed=seed, together=together)
    added = np.cumsum([0, *(list(range(1, BLOCKS + 1)) * 3)])[:-1]
    return bool((out == added.reshape(3, BLOCKS, 1) + np.arange(32)).all())


def test_what_is_posted_is_collected_in_its_turn() -> None:
    always(lambda seed: goes_round(ROUND, seed))


@pytest.mark.parametrize(
    ("without", "with_"),
    [
        ("collect<u32>(places + rank * 32 + me, i)", "places[rank * 32 + me].value"),
        ("i + !next);", "i);"),
    ],
)
def test_it_is_not_where_nobody_waits_or_turns_are_confused(without: str, with_: str) -> None:
    assert without in ROUND
    not_always(lambda seed: goes_round(ROUND.replace(without, with_), seed))


def test_two_neighbours_come_as_one() -> None:
    body = """
        Flagged *places = (Flagged *)a;
        if (blockIdx.x == 0) post(places + 2 * me, make_float2(me, -me), 7);
        else {
            const float2 got = collect<float2>(places + 2 * me, 7);
            b[me] = got.x, b[32 + me] = got.y;
        }
    """

    def check(seed: int) -> bool:
        out = np.zeros((2, 32), np.float32)
        run(body, np.zeros((64, 2), np.uint32), out, blocks=2, seed=seed, together=True)
        return bool((out == np.stack([np.arange(32), -np.arange(32)])).all())

    always(check)


def test_blocks_that_do_not_run_at_once_wait_for_ever() -> None:
    said = r"no thread can go on; 32 of block \d wait for mark \d of a place that has \d"
    with pytest.raises(Misuse, match=said):
        goes_round(ROUND, 0, together=False)


MISUSES = {
    "post(places, 1, 1); post(places, 2, 2);": "mark 2 is posted before 1 has arrived",
    "post(places, 1, 1); collect<u32>(places, 1); post(places, 2, 1);": "posted where 1 is",
    "post(places, 1, 2); collect<u32>(places, 2); collect<u32>(places, 1);": "1 .* where 2",
    "post((Flagged *)((char *)places + 4), 1, 1);": "no multiple of 8",
    "post(places + 1, make_float2(1, 2), 1);": "no multiple of 16",
}


@pytest.mark.parametrize("which", range(len(MISUSES)))
def test_misuse_is_told(which: int) -> None:
    cases = "".join(f"case {i}: {body} break;" for i, body in enumerate(MISUSES))
    body = f"Flagged *places = (Flagged *)a; if (me == 0) switch (b) {{ {cases} }}"
    with pytest.raises(Misuse, match=list(MISUSES.values())[which]):
        run(body, np.zeros(64, np.uint32), which)
