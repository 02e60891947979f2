"""In every order that a cluster's warps can run in, each waits for what it needs, and no more."""

from __future__ import annotations

import pytest

from tests.runtime.engines.cuda.protocol import Explorer, Fault, Protocol, block, cluster


def waits(protocol: Protocol) -> list[str]:
    """Every kind of arrival and wait: who, what, of which."""
    return sorted(
        {
            f"{process.split('.')[0]} {move[0]} {move[1].split('.')[0]}"
            for process, moves in protocol.programs.items()
            for move in moves
            if move[0] in ("sync", "arrive", "meet", "pass", "wait", "arm", "come")
        }
    )


@pytest.mark.parametrize(
    ("blocks", "layers", "steps", "early"),
    [
        (1, 2, 3, False),
        (1, 3, 3, False),
        (1, 4, 3, False),
        pytest.param(2, 2, 2, False, marks=pytest.mark.slow),
        pytest.param(2, 2, 2, True, marks=pytest.mark.slow),
    ],
)
def test_no_order_of_a_cluster_leads_to_a_hazard_or_a_deadlock(
    blocks: int, layers: int, steps: int, early: bool
) -> None:
    assert Explorer(cluster(blocks, layers, steps, early=early)).explore() > 1000


@pytest.mark.parametrize(
    ("layers", "z_depth"),
    [(1, 2), (2, 2), (3, 3), pytest.param(4, 3, marks=pytest.mark.slow)],
)
def test_no_order_of_a_block_alone_does(layers: int, z_depth: int) -> None:
    assert Explorer(block(layers, 3, z_depth)).explore() > 1000


@pytest.mark.parametrize("wait", waits(cluster(1, 3, 1)))
def test_without_one_of_a_clusters_waits_some_order_does(wait: str) -> None:
    def explore_all() -> None:
        for layers in (2, 3, 4):
            Explorer(cluster(1, layers, 3, without=wait)).explore()

    with pytest.raises(Fault):
        explore_all()


@pytest.mark.parametrize("wait", waits(block(3, 2, 2)))
def test_without_one_of_a_blocks_waits_some_order_does(wait: str) -> None:
    with pytest.raises(Fault):
        Explorer(block(3, 2, 2, without=wait)).explore()
