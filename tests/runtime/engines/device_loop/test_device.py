"""A GPU is the calling thread's in every call, and what it held is given back when it is closed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from tests.cuda_on_cpu.gpu import CudaError, Gpu
from wn_runtime.engines.device_loop.allowance import SHARED_BYTES
from wn_runtime.engines.device_loop.device import CudaDevice, DeviceArray, DeviceLost
from wn_runtime.engines.device_loop.kernel import kernel_source
from wn_runtime.errors import EngineUnavailable
from wn_runtime.heads.softmax import Softmax

SOURCE = kernel_source(Softmax(16))
ADVANCE = "wn_advance_fp32"


def elsewhere(call: Callable[[], Any]) -> Any:
    """What a call gives in a thread that has never seen the GPU."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


CALLS: dict[str, Callable[[CudaDevice, DeviceArray], object]] = {
    "available_bytes": lambda device, _: device.available_bytes(),
    "allocate": lambda device, _: device.allocate((4,), np.float32),
    "upload": lambda device, array: device.upload(array, np.arange(4)),
    "download": lambda device, array: device.download(array),
    "kernels": lambda device, _: device.kernels(SOURCE, ADVANCE),
    "capture": lambda device, _: device.capture(lambda: None),
    "synchronize": lambda device, _: device.synchronize(),
    "make_current": lambda device, _: device.make_current(),
    "close": lambda device, _: device.close(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_works_in_another_thread(
    gpu: Gpu, call: Callable[[CudaDevice, DeviceArray], object]
) -> None:
    device = CudaDevice()
    array = device.allocate((4,), np.int32)
    elsewhere(lambda: call(device, array))
    device.close()
    assert not gpu.reserved


def test_a_graph_of_one_thread_is_replayed_in_another(gpu: Gpu) -> None:
    device, ran = CudaDevice(), list[str]()
    graph = device.capture(lambda: gpu.enqueue(device.handle, lambda: ran.append("once")))
    elsewhere(lambda: device.replay(graph))
    assert ran == ["once"]


def test_the_stand_in_answers_no_thread_that_has_no_context(gpu: Gpu) -> None:
    CudaDevice()
    with pytest.raises(CudaError, match="CUDA_ERROR_INVALID_CONTEXT"):
        elsewhere(lambda: gpu.allocate(16))


def test_making_a_lost_device_current_is_one_line(gpu: Gpu) -> None:
    device = CudaDevice()
    gpu.lose()
    with pytest.raises(DeviceLost, match="failed while making it this thread's: CUDA_ERROR_LAUNCH"):
        device.make_current()


def test_the_pool_keeps_nothing_once_it_is_closed(gpu: Gpu) -> None:
    """Two engines: the memory of the first is there for other programs while the second runs."""
    first, second = CudaDevice(), CudaDevice()
    first.allocate((1000,), np.float32)
    second.allocate((10,), np.float32)
    free = second.available_bytes()
    first.close()
    assert second.available_bytes() == free + 4000
    second.close()
    assert gpu.reserved == 0


def test_a_gpu_without_pools_is_closed_as_well(gpu: Gpu) -> None:
    gpu.pools = False
    device = CudaDevice()
    device.allocate((1000,), np.float32)
    device.close()
    assert gpu.reserved == 0


def test_more_shared_memory_than_every_block_has_is_an_error_of_its_own(gpu: Gpu) -> None:
    """Not a lost device: another engine can be taken."""
    device = CudaDevice()
    kernel = device.kernels(SOURCE, ADVANCE)[0]
    with pytest.raises(
        EngineUnavailable,
        match=r"takes 49156 bytes of shared memory a block; the GPU \(Test GPU\) gives it 49152",
    ):
        device.launch(kernel, 1, 32, SHARED_BYTES + 4)
