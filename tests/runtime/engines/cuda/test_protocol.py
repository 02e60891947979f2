"""In every order of the warps of several blocks each waits for what it needs, and no more."""

from __future__ import annotations

import pytest

from tests.runtime.engines.cuda.explorer import Explorer, Fault
from tests.runtime.engines.cuda.protocol import Protocol, block, cluster

MOST_STATES = 8_000_000
KINDS = ("sync", "arrive", "meet", "pass", "wait", "arm", "come", "post", "collect")


def waits(protocol: Protocol) -> list[str]:
    """Every kind of arrival and wait: who, what, of which."""
    return sorted(
        {
            f"{process.split('.')[0]} {move[0]} {move[1].split('.')[0]}"
            for process, moves in protocol.programs.items()
            for move in moves
            if move[0] in KINDS
        }
    )


@pytest.mark.parametrize(
    ("blocks", "layers", "steps", "early"),
    [
        (1, 2, 3, False),
        (1, 3, 3, False),
        (1, 4, 3, False),
        pytest.param(2, 2, 2, True, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("flags", [False, True])
def test_no_order_of_several_blocks_leads_to_a_hazard_or_a_deadlock(
    blocks: int, layers: int, steps: int, early: bool, flags: bool
) -> None:
    protocol = cluster(blocks, layers, steps, early=early, flags=flags)
    assert Explorer(protocol).explore(MOST_STATES) > 1000


@pytest.mark.parametrize(
    ("layers", "z_depth"),
    [(1, 2), (2, 2), (3, 3), pytest.param(4, 3, marks=pytest.mark.slow)],
)
def test_no_order_of_a_block_alone_does(layers: int, z_depth: int) -> None:
    assert Explorer(block(layers, 3, z_depth)).explore() > 1000


@pytest.mark.parametrize(
    ("wait", "flags"),
    [(wait, flags) for flags in (False, True) for wait in waits(cluster(1, 3, 1, flags=flags))],
)
def test_without_one_of_their_waits_some_order_does(wait: str, flags: bool) -> None:
    def explore_all() -> None:
        for layers in (2, 3, 4):
            Explorer(cluster(1, layers, 3, without=wait, flags=flags)).explore()

    with pytest.raises(Fault):
        explore_all()


@pytest.mark.parametrize("wait", waits(block(3, 2, 2)))
def test_without_one_of_a_blocks_waits_some_order_does(wait: str) -> None:
    with pytest.raises(Fault):
        Explorer(block(3, 2, 2, without=wait)).explore()
