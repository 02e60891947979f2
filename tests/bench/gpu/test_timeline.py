"""Marks in the kernel: it is the same model, and who is said to wait waited."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.gpu.timeline import GIVEN, READY, STEPS, TAKEN, WARPS, MarkingDevice, Timeline, marked
from bench.gpu.timeline import measure as measured
from tests.cuda_on_cpu.gpu import Gpu
from tests.law import oracle
from tests.models.specs import random_samples, random_weights, small_spec
from tests.runtime.engines.conftest import gpu as gpu
from tests.runtime.engines.cuda.checks import TOLERANCE
from wn_runtime.engines.cuda.engine import CudaEngine
from wn_runtime.engines.cuda.pack import pack
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.cuda.several import clustered
from wn_runtime.engines.cuda.source import source
from wn_runtime.engines.device_loop.nvrtc import compile_ahead
from wn_runtime.errors import WavestepError

SPEC = small_spec((1, 2, 4, 1, 2, 4, 8), residual=32, gate=64, skip=32)


@pytest.fixture
def arch() -> str:
    """One that has clusters."""
    return "90"


@pytest.fixture(scope="module")
def schedule() -> Schedule:
    """Two blocks with layers, of three and four."""
    for kilobytes in range(8, 227):
        found = clustered(SPEC, "int8", 1, kilobytes * 1024, 8)
        if found is not None and found.layer_ranks == 2 and found.chained:
            return found
    raise AssertionError("no memory makes two blocks of it")


def test_the_marked_kernel_is_the_model_and_its_marks_are_in_the_order_of_the_waits(
    gpu: Gpu, schedule: Schedule
) -> None:
    weights, samples = random_weights(SPEC), random_samples(SPEC, STEPS + 3, 1)
    device = MarkingDevice()
    device.slots = max(schedule.layers_of(rank) for rank in range(2))
    engine = CudaEngine(device, schedule, 1, pack(schedule, weights))
    expected = oracle.score(SPEC, weights, samples, None)
    error = np.abs(engine.score(samples, None) - expected).max() / np.abs(expected).max()
    assert error < TOLERANCE["int8"]
    marks = device.marks(schedule)
    engine.close()
    for rank in range(2):
        timeline = Timeline.of(schedule, marks, rank)
        taken, given = timeline.taken, timeline.given
        assert (np.diff(given["gate"], axis=1) > 0).all()
        for slot in range(1, schedule.layers_of(rank)):
            assert (taken["gate"][:, slot] > given["gate"][:, slot - 1]).all()
            assert (taken["gate"][:, slot] > given["older"][:, slot]).all()
            assert (taken["residual"][:, slot - 1] > given["gate"][:, slot - 1]).all()
            assert (given["residual"][:, slot] > taken["residual"][:, slot - 1]).all()
            if slot > 1:
                assert (taken["older"][:, slot] > given["residual"][:, slot - 1]).all()


def clocks(schedule: Schedule) -> NDArray[np.uint32]:
    """Of a GPU that takes 300 cycles a layer; its clock wraps around."""
    marks = np.zeros((schedule.cluster, WARPS, STEPS, 4, 3), np.uint32)
    gate, residual = 0, schedule.widths.gate_warps
    older = schedule.warps - schedule.older_warps
    with np.errstate(over="ignore"):
        for step in range(STEPS):
            for slot in range(4):
                z = np.uint32(2**32 - 1000 + 5000 * step + 300 * slot & 0xFFFFFFFF)
                for first, count, ready, taken, given in (
                    (gate, schedule.widths.gate_warps, -250, -200, 0),
                    (residual, schedule.widths.residual_warps, -10, 40, -100),
                    (older, schedule.older_warps, -400, -350, -230),
                ):
                    for what, cycles in ((READY, ready), (TAKEN, taken), (GIVEN, given)):
                        marks[:2, first : first + count, step, slot, what] = z + np.uint32(
                            cycles & 0xFFFFFFFF
                        )
    return marks


def test_spans_are_between_the_marks(schedule: Schedule) -> None:
    spans = Timeline.of(schedule, clocks(schedule), 1).spans()
    assert {name: set(cycles.ravel().tolist()) for name, cycles in spans.items()} == {
        "pace": {300},
        "gate, z to z": {100},
        "gate works": {200},
        "gate to residual": {40},
        "residual works": {300 - 100 - 40},
        "residual to older": {300 - 350 + 100},
        "older works": {120},
        "older to gate": {30},
        "gate waits": {50},
        "residual waits": {50},
        "older waits": {50},
        "sums after z": {70},
    }


def test_a_schedule_of_few_layers_a_block_has_no_such_chains(schedule: Schedule) -> None:
    shallow = small_spec((1, 2), residual=32, gate=64, skip=32)
    alone = clustered(shallow, "int8", 1, 227 * 1024, 8)
    assert alone is not None
    with pytest.raises(WavestepError, match="three layers or more"):
        measured(MarkingDevice.__new__(MarkingDevice), alone, STEPS)


def test_another_source_is_told(schedule: Schedule) -> None:
    text = source(schedule)
    assert marked(text, 4).count("mark(here, step,") == 9
    with pytest.raises(ValueError, match="0 times"):
        marked(text.replace("barrier_arrive(LAYER_READY", "barrier_arrive(OTHER"), 4)


@pytest.mark.slow
@pytest.mark.usefixtures("nvrtc")
def test_a_gpus_compiler_takes_the_marks_without_spilling(schedule: Schedule) -> None:
    compiled = compile_ahead(marked(source(schedule), 4), "9.0")
    assert {usage.spill_bytes for usage in compiled.usage.values()} == {0}
