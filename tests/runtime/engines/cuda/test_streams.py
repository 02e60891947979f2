"""Streams of the CUDA engine over time: pieces, snapshots, resets, and a GPU that does not do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu.gpu import Gpu
from tests.models.specs import CORNERS, random_bias, random_samples, random_uniforms
from tests.runtime.engines.cuda.checks import (
    check_draws,
    check_pieces,
    check_snapshots_move,
    native,
    opened,
)
from tests.runtime.engines.cuda.schedules import blocks, clusters
from wn_runtime.engines.cuda.engine import CudaEngine
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.device_loop.device import CudaDevice, DeviceArray, DeviceLost
from wn_runtime.errors import EngineUnavailable, WavestepError

SPEC = CORNERS["kernel_3"]
BLOCK = blocks(SPEC, "fp16", 2)["resident"]
CLUSTER = clusters(SPEC, "fp16", 2)["cluster"]
BATCH = 3
"""Two groups, of which the last has a stream that nobody asked for."""


@pytest.fixture
def engine(gpu: Gpu) -> Iterator[CudaEngine]:
    with opened(BLOCK, BATCH) as found:
        yield found


def test_a_block_longer_than_a_launch_comes_in_pieces(
    gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_pieces(BLOCK, BATCH, monkeypatch)


@pytest.mark.parametrize("schedule", [BLOCK, CLUSTER], ids=["block", "cluster"])
def test_snapshots_move_to_the_native_engine_and_back(gpu: Gpu, schedule: Schedule) -> None:
    check_snapshots_move(schedule, BATCH)


def test_it_draws_what_the_head_draws(engine: CudaEngine) -> None:
    check_draws(engine, 64)


def test_a_reset_of_all_streams_moves_no_state(
    engine: CudaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bias, uniforms = random_bias(SPEC, BATCH), random_uniforms(20, BATCH)
    first = engine.generate(bias, uniforms)
    state = sum(array.nbytes for array in engine.snapshot().values())
    moved: list[int] = []
    upload = CudaDevice.upload

    def counted(self: CudaDevice, array: DeviceArray, values: NDArray[np.generic]) -> None:
        moved.append(values.nbytes)
        upload(self, array, values)

    def refused(*_: object) -> None:
        raise AssertionError("a reset reads nothing")

    with monkeypatch.context() as patch:
        patch.setattr(CudaDevice, "upload", counted)
        patch.setattr(CudaDevice, "download", refused)
        engine.reset()
    assert sum(moved) < state / 20
    assert np.array_equal(engine.generate(bias, uniforms), first)


def test_a_reset_of_one_stream_leaves_the_others(engine: CudaEngine) -> None:
    bias, samples = random_bias(SPEC, BATCH), random_samples(SPEC, 30, BATCH)
    fresh = engine.score(samples, bias)
    engine.reset([1])
    found = engine.score(samples, bias)
    assert np.array_equal(found[:, 1], fresh[:, 1])
    assert not np.allclose(found[:, 0], fresh[:, 0])


def test_memory_is_the_same_however_long_it_runs(gpu: Gpu, engine: CudaEngine) -> None:
    bias = random_bias(SPEC, BATCH)

    def run() -> int:
        engine.generate(bias, random_uniforms(60, BATCH))
        engine.score(random_samples(SPEC, 20, BATCH), bias)
        engine.restore(engine.snapshot())
        engine.reset()
        return gpu.used

    assert run() == run() == run()


def test_closed_it_holds_nothing(gpu: Gpu) -> None:
    with opened(BLOCK, BATCH) as engine:
        assert gpu.used > BLOCK.model_bytes
        engine.score(random_samples(SPEC, 4, BATCH), random_bias(SPEC, BATCH))
    assert gpu.used == 0
    assert gpu.reserved == 0


def test_a_gpu_lost_in_mid_stream_is_told_and_the_last_snapshot_goes_on_elsewhere(
    gpu: Gpu, engine: CudaEngine
) -> None:
    bias, samples = random_bias(SPEC, BATCH), random_samples(SPEC, 40, BATCH)
    engine.score(samples[:20], bias)
    state = engine.snapshot()
    gpu.lose()
    with pytest.raises(DeviceLost, match=r"^the GPU \(Test GPU\) failed while .*; the streams"):
        engine.generate(bias, random_uniforms(8, BATCH))
    other = native(BLOCK, BATCH)
    expected = other.score(samples, bias)[20:]
    other.restore(state)
    found = other.score(samples[20:], bias)
    assert np.abs(found - expected).max() <= 2e-2 * np.abs(expected).max()


def test_too_little_memory_is_told(monkeypatch: pytest.MonkeyPatch, gpu: Gpu) -> None:
    cuda.install(monkeypatch, Gpu(arch="90", memory=2**16))
    with (
        pytest.raises(WavestepError, match=r"has no .* (MiB|bytes) left .*take a smaller batch"),
        opened(BLOCK, BATCH),
    ):
        pass


def test_more_shared_memory_than_the_gpu_gives_is_told(
    monkeypatch: pytest.MonkeyPatch, gpu: Gpu
) -> None:
    machine = cuda.install(monkeypatch, Gpu(arch="75"))
    large = dataclasses.replace(SPEC, dilations=tuple(range(1, 13)), residual_channels=64)
    schedule = blocks(large, "fp16", 1)["resident"]
    assert schedule.shared_bytes > machine.most_shared
    said = rf"refuses a kernel {schedule.shared_bytes} bytes of shared memory .*another engine"
    with pytest.raises(EngineUnavailable, match=said), opened(schedule, 1):
        pass
