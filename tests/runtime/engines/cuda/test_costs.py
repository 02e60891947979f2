"""The cost model obeys the physics it is made of."""

from __future__ import annotations

import dataclasses

import pytest

from wn_runtime.engines.cuda import costs
from wn_runtime.engines.cuda.costs import Gpu, Kernel, cost
from wn_runtime.engines.cuda.kind import CUDA
from wn_runtime.model.work import Work
from wn_targets.presets import PRESETS

GPU = Gpu("8.7", 8, 163 * 1024, 2 * 2**20, 100.0)
PAPER = Kernel("int8", "ring", 1, 1, layers=30, bytes=1.5e6, macs=1.26e6)


def test_streams_of_one_tile_cost_what_one_does_and_no_weights_are_read_twice() -> None:
    one, four = cost(PAPER, 1, GPU), cost(dataclasses.replace(PAPER, streams=4), 4, GPU)
    assert four == one
    eight = cost(dataclasses.replace(PAPER, streams=8), 8, GPU)
    assert eight.reading == one.reading
    assert eight.chain > one.chain


def test_blocks_beyond_the_multiprocessors_wait_for_a_second_wave() -> None:
    assert [cost(PAPER, streams, GPU).waves for streams in (1, 8, 9, 16, 17)] == [1, 1, 2, 2, 3]
    cluster = dataclasses.replace(PAPER, blocks=4, source="resident")
    assert [cost(cluster, streams, GPU).waves for streams in (1, 2, 3)] == [1, 1, 2]


def test_blocks_that_read_at_once_share_the_cache() -> None:
    alone, all_of_them = cost(PAPER, 1, GPU), cost(PAPER, 8, GPU)
    assert alone.reading == pytest.approx(PAPER.bytes / costs.BLOCK_BYTES["ring"])
    assert all_of_them.reading == pytest.approx(PAPER.bytes / costs.L2_BYTES["loads"])


def test_weights_that_the_cache_does_not_hold_come_from_memory() -> None:
    wide = dataclasses.replace(PAPER, bytes=5e6)
    assert cost(wide, 8, GPU).limit == "DRAM bandwidth"
    assert cost(wide, 8, GPU).reading == pytest.approx(5e6 / (100.0 / 8))
    assert cost(wide, 8, dataclasses.replace(GPU, l2_bytes=None)).level == "L2"
    assert cost(dataclasses.replace(wide, source="resident"), 8, GPU).reading == 0


def test_the_chain_waits_for_skip_weights_that_come_too_late() -> None:
    """Of a block, from when the chain came to it until its last share is there."""
    blocks = dataclasses.replace(
        PAPER,
        source="resident",
        blocks=5,
        bytes=20 * 18e3,
        shares=(20, 6, 4),
        skip_bytes=18e3,
        chained=True,
    )
    in_time = cost(blocks, 1, dataclasses.replace(GPU, multiprocessors=132))
    layer, late = costs.CHAINED_CYCLES, 18e3 / costs.BLOCK_BYTES["direct"]
    assert 6 * late < 10 * layer
    assert 20 * late < 30 * layer
    nothing_read = dataclasses.replace(blocks, bytes=0)
    assert cost(nothing_read, 1, GPU).chain == in_time.chain
    assert cost(nothing_read, 1, GPU).reading == 0 < in_time.reading
    slow = dataclasses.replace(blocks, skip_bytes=36e3)
    waits = cost(slow, 1, dataclasses.replace(GPU, multiprocessors=132)).chain - in_time.chain
    assert waits == pytest.approx(max(20 * 2 * late - 30 * layer, 6 * 2 * late - 10 * layer))
    assert waits > 0


def test_a_flag_takes_longer_than_a_cluster_and_two_products_longer_than_one() -> None:
    cluster = dataclasses.replace(PAPER, source="resident", blocks=5, bytes=0, chained=True)
    flags = dataclasses.replace(cluster, flags=True)
    two = dataclasses.replace(flags, chained=False)
    chains = [cost(one, 1, GPU).chain for one in (cluster, flags, two)]
    assert chains[1] - chains[0] == 5 * (costs.FLAG_CYCLES - costs.HANDOVER_CYCLES) > 0
    assert chains[2] - chains[1] == 30 * (costs.LAYER_CYCLES - costs.CHAINED_CYCLES) > 0
    floors = [costs.floor(one, GPU) for one in (cluster, flags, two)]
    assert floors == sorted(floors)
    assert all(least < chain for least, chain in zip(floors, chains, strict=True))


def test_what_limits_is_the_largest_part() -> None:
    assert cost(dataclasses.replace(PAPER, layers=300), 1, GPU).limit == "latency"
    assert cost(PAPER, 8, GPU).limit == "L2 bandwidth"
    scalar = dataclasses.replace(PAPER, precision="fp32", streams=64)
    assert cost(scalar, 64, GPU).limit == "arithmetic"


def test_the_published_step_of_nv_wavenets_block_is_met() -> None:
    """V100, L20 R64 S128 in half precision: 27.0 k samples/s at 1530 MHz."""
    block = Kernel("fp16", "direct", 1, 1, layers=20, bytes=1.34e6, macs=0.67e6)
    made = 1530e6 / cost(block, 1, Gpu("7.0", 80, 96 * 1024)).cycles
    assert made == pytest.approx(27_000, rel=0.1)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_choice_between_engines_rises_with_streams_and_precision(preset: str) -> None:
    work = Work.of(PRESETS[preset])
    for precision in CUDA.precisions:
        us = [CUDA.expected_us(work, precision, streams, 1) for streams in (1, 8, 64, 512)]
        assert us == sorted(us)
    wide, half, whole = (CUDA.expected_us(work, p, 64, 1) for p in ("fp32", "fp16", "int8"))
    assert wide >= half >= whole
