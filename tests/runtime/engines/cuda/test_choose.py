"""The schedule of a model on a GPU is the cheapest by the model, or the one that is named."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from tests.models.specs import PLAIN, random_spec, small_spec
from wn_runtime.engines.cuda.choose import (
    FAMILIES,
    GROUPS,
    VARIABLE,
    Choice,
    Kind,
    candidates,
    cheapest,
    choose,
)
from wn_runtime.engines.cuda.costs import Gpu
from wn_runtime.engines.cuda.schedule import READS, Schedule
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_targets.presets import PRESETS

H200 = Gpu("9.0", 132, 227 * 1024)
ORIN_NANO = Gpu("8.7", 8, 163 * 1024, 2 * 2**20, 100.0)
PAPER = PRESETS["paper"]


@pytest.mark.parametrize("gpu", [H200, ORIN_NANO])
@pytest.mark.parametrize("batch", [1, 3, 16, 200])
@pytest.mark.parametrize("precision", ["int8", "fp16", "fp32"])
def test_nothing_that_fits_is_cheaper_than_what_is_chosen(
    gpu: Gpu, batch: int, precision: str
) -> None:
    chosen = choose(PAPER, precision, batch, gpu, {})
    every = list(candidates(PAPER, precision, batch, gpu))
    assert chosen.cost.cycles == min(one.cost.cycles for one in every if one.kind.tried)
    assert all(one.schedule.shared_bytes <= gpu.shared_bytes for one in every)
    assert all(one.schedule.streams // 2 < batch for one in every), "half a group idle, or more"


def test_a_gpu_without_asynchronous_copies_gets_no_ring() -> None:
    turing = Gpu("7.5", 40, 227 * 1024)  # with room for one, which no such GPU has
    for batch in (1, 64):
        every = list(candidates(PAPER, "int8", batch, turing))
        assert "ring" not in {one.schedule.source for one in every}
        assert not any(one.schedule.chained for one in every), "it has no signals either"
    assert any(one.schedule.source == "ring" for one in candidates(PAPER, "int8", 1, ORIN_NANO))


def test_a_head_that_no_stage_has_room_for_is_not_streamed() -> None:
    """Narrow layers under a wide head: a stage is a layer's weights."""
    wide = small_spec([1] * 64, residual=16, gate=32, skip=64, head=4096, classes=256)
    for one in candidates(wide, "int8", 1, ORIN_NANO):
        assert one.schedule.source != "ring"
    assert not Schedule(wide, "int8", 1, (0, 64), 0, 0, "ring", 3).stage_holds_head


def test_one_stream_takes_a_cluster_where_there_are_any_and_many_take_blocks() -> None:
    one = choose(PAPER, "int8", 1, H200, {}).kind
    assert (one.family, one.streams) == ("clustered", 1)
    assert choose(PAPER, "int8", 2000, H200, {}).kind.family == "alone"
    assert choose(PAPER, "int8", 64, ORIN_NANO, {}).kind.family == "alone"


def soonest(gpu: Gpu) -> Choice:
    return cheapest(PAPER, "int8", 1, gpu, tried=False)


def test_by_the_model_one_stream_is_soonest_by_flags_where_there_are_no_clusters() -> None:
    for gpu in (ORIN_NANO, dataclasses.replace(H200, compute_capability="8.9")):
        one = soonest(gpu)
        assert one.kind.family == "flagged"
        assert one.schedule.cluster <= gpu.multiprocessors
        assert one.schedule.chained
    assert soonest(dataclasses.replace(ORIN_NANO, cooperative=False)).kind.family == "alone"


def test_what_no_gpu_has_run_is_taken_only_by_name() -> None:
    for gpu in (ORIN_NANO, H200):
        assert not soonest(gpu).kind.tried
        chosen = choose(PAPER, "int8", 1, gpu, {})
        assert chosen.kind.tried
        assert chosen.cost.cycles > soonest(gpu).cost.cycles
        assert choose(PAPER, "int8", 1, gpu, {VARIABLE: str(soonest(gpu).kind)}).kind.read


def test_where_one_product_a_layer_needs_too_many_blocks_two_are_taken() -> None:
    wide = dataclasses.replace(ORIN_NANO, multiprocessors=16)
    for gpu, chained in ((ORIN_NANO, False), (wide, True)):
        chosen = choose(PAPER, "fp16", 1, gpu, {VARIABLE: "flagged:1:older"})
        assert chosen.schedule.chained == chained
        assert chosen.schedule.cluster <= gpu.multiprocessors


def test_blocks_that_wait_for_each_other_all_run_at_once() -> None:
    """One a multiprocessor; else nothing would come of it."""
    for batch in (1, 2, 8, 64):
        for gpu in (ORIN_NANO, H200):
            for one in candidates(PAPER, "int8", batch, gpu):
                blocks = -(-batch // one.kind.streams) * one.schedule.cluster
                assert not one.schedule.flags or blocks <= gpu.multiprocessors
    name = {VARIABLE: "flagged:1:older"}
    assert choose(PAPER, "int8", 1, ORIN_NANO, name).schedule.flags
    with pytest.raises(EngineUnavailable, match=r"2 groups of 8 blocks .* has 8 multi.*alone:1"):
        choose(PAPER, "int8", 2, ORIN_NANO, name)
    with pytest.raises(EngineUnavailable, match=r"flagged:1 needs as many blocks .*\(8, .*alone:1"):
        choose(PAPER, "int8", 1, ORIN_NANO, {VARIABLE: "flagged:1"})


def test_groups_grow_with_the_streams() -> None:
    groups = [choose(PAPER, "int8", batch, ORIN_NANO, {}).kind.streams for batch in (1, 4, 32, 128)]
    assert groups == sorted(groups)
    assert groups[0] == 1
    assert groups[-1] >= 16


def test_the_environment_names_another() -> None:
    chosen = choose(PAPER, "int8", 1, H200, {VARIABLE: " alone:8 "})
    assert (chosen.kind, chosen.schedule.streams) == (Kind("alone", 8), 8)
    assert choose(PAPER, "int8", 1, H200, {VARIABLE: ""}).kind.family == "clustered"


def test_blocks_that_leave_weights_in_global_memory_have_more_layers() -> None:
    """As many as the chain does not wait for: fewer blocks, fewer hand-overs."""
    found = {
        read: choose(PAPER, "int8", 1, H200, {VARIABLE: ":".join(["clustered:1", *read.split()])})
        for read in READS
    }
    blocks = [found[read].schedule.cluster for read in READS]
    assert blocks == sorted(blocks, reverse=True)
    assert len(set(blocks)) == len(READS)
    assert [found[read].schedule.read for read in READS] == list(READS)
    assert found[""].cost.reading == 0 < found["skip"].cost.reading < found["older"].cost.reading
    assert all(one.schedule.shared_bytes <= H200.shared_bytes for one in found.values())


def test_the_sum_waits_for_a_block_that_reads_more_than_there_is_time_for() -> None:
    """fp16's skip weights take longer to read than the chain takes through a layer."""
    every = candidates(PAPER, "fp16", 1, H200)
    found = {one.kind.read: one for one in every if one.kind.family == "clustered"}
    assert found["older"].schedule.cluster < found["skip"].schedule.cluster
    assert found["older"].cost.chain > found["skip"].cost.chain
    for one in found.values():
        last = one.schedule.layer_ranks - 1
        assert one.schedule.read_bytes(last) < one.schedule.read_bytes(last - 1)
        assert one.schedule.skip_early < last


@pytest.mark.parametrize(
    "name",
    [
        *("alone", "alone:0", "alone:3", "ring:1", "alone:1e3", "a" * 99, "alone:1:skip"),
        *("clustered:1:", "clustered:1:gate", "clustered:older", "flagged:1:skip:older"),
    ],
)
def test_what_names_no_schedule_is_an_error_with_what_there_is(name: str) -> None:
    with pytest.raises(WavestepError, match=r"is unknown; give alone:N, clustered:N or .* 1, 2, 4"):
        choose(PAPER, "int8", 1, H200, {VARIABLE: name})


def test_a_gpu_that_can_run_none_says_what_it_lacks() -> None:
    with pytest.raises(EngineUnavailable, match=r"7\.5 or newer, this GPU has 7\.2"):
        choose(PLAIN, "int8", 1, Gpu("7.2", 8, 96 * 1024), {})
    with pytest.raises(EngineUnavailable, match=r"the GPU gives 512; use another engine"):
        cheapest(PLAIN, "int8", 1, Gpu("8.7", 8, 512))
    with pytest.raises(EngineUnavailable, match=r"clustered:1 needs a cluster .*alone:1"):
        choose(PAPER, "fp16", 1, H200, {VARIABLE: "clustered:1"})


def test_every_name_is_read_back_as_it_was_written() -> None:
    for family, streams, read in itertools.product(FAMILIES, GROUPS, READS):
        kind = Kind(family, streams, read)
        if read in kind.reads:
            assert Kind.of(str(kind)) == kind


@pytest.mark.parametrize("seed", range(6))
def test_every_spec_has_a_schedule_for_every_precision(seed: int) -> None:
    spec = random_spec(seed)
    for precision in ("int8", "fp16", "fp32"):
        for gpu in (H200, ORIN_NANO):
            assert choose(spec, precision, 5, gpu, {}).cost.cycles > 0
