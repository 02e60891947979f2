"""What a process of its own does on a driver without a GPU: `python -m … NAME [MODEL]`."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import wn_runtime
from tests.fake_libcuda.driver import LIBRARY
from tests.models.specs import random_uniforms, small_spec
from tests.runtime.engines.device_loop.kernel_checks import start
from wn_runtime.engines.device_loop.device import CudaDevice, DeviceLost
from wn_runtime.engines.device_loop.kernel import kernel_source
from wn_runtime.engines.device_loop.memory import StepMemory

SPEC = small_spec((1, 2))
STEP_KERNEL = kernel_source(SPEC.output)
CALLS, STREAMS = 4, 2
LAUNCH_FAILED = 719


def elsewhere(call: Callable[[], Any]) -> Any:
    """What a call gives in a thread that has never seen the GPU."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def made(device: CudaDevice, run: Callable[[StepMemory], None]) -> NDArray[Any]:
    """Samples of `CALLS` steps of random params, which `run` makes."""
    memory = StepMemory(device, SPEC, STREAMS, "fp32")
    uniforms, inverse = random_uniforms(CALLS, STREAMS), np.ones(STREAMS, np.float32)
    start(memory, CALLS, uniforms=uniforms, inverse=inverse)
    for tensors in memory.sets:
        rng = np.random.default_rng(len(tensors))
        logits = rng.standard_normal((STREAMS, SPEC.output.params))
        device.upload(tensors["params"], logits)
    run(memory)
    return device.download(memory.samples, CALLS)


def call_by_call(memory: StepMemory) -> None:
    for call in range(CALLS):
        memory.advance(call & 1)


def threads() -> None:
    """Opened in one thread, it works in another, and is closed there."""
    device = CudaDevice()
    expected = made(device, call_by_call)
    assert len(np.unique(expected)) > 2
    assert np.array_equal(elsewhere(lambda: made(device, call_by_call)), expected)
    elsewhere(device.close)


def graphs() -> None:
    """A captured graph, replayed in another thread, makes what its calls do.

    A capture that failed leaves the stream as it was.
    """
    device = CudaDevice()
    expected = made(device, call_by_call)

    def replayed(memory: StepMemory) -> None:
        graph = device.capture(lambda: call_by_call(memory))
        elsewhere(lambda: device.replay(graph))
        device.synchronize()
        graph.close()

    def refused(memory: StepMemory) -> None:
        samples = memory.samples
        for spoil in (device.synchronize, lambda: device.upload(samples, np.zeros(1))):

            def enqueue(spoil: Callable[[], object] = spoil) -> None:
                memory.advance(0)
                spoil()

            try:
                device.capture(enqueue)
            except wn_runtime.WavestepError as error:
                assert "CAPTURE" in str(error), error  # noqa: PT017
            else:
                raise AssertionError("no capture may contain it")
        call_by_call(memory)

    for run in (replayed, refused):
        assert np.array_equal(made(device, run), expected), run.__name__
    device.close()


def lost(model: Path) -> None:
    """The device is lost in mid-stream; the last snapshot goes on in another engine."""
    with wn_runtime.open(model, "native", "fp32") as native:
        expected = native.stream(seed=3).read_samples(60)
        with wn_runtime.open(model, "cuda", "fp32") as cuda:
            stream = cuda.stream(seed=3)
            begin = stream.read_samples(40)
            snapshot = stream.snapshot()
            ctypes.CDLL(LIBRARY).fake_cuda_fail(b"launch", LAUNCH_FAILED)
            try:
                stream.read_samples(4000)
            except DeviceLost as error:
                print(error)
            else:
                raise AssertionError("the device was not lost")
        end = native.stream().restore(snapshot).read_samples(20)
    np.testing.assert_array_equal(np.concatenate([begin, end]), expected)


if __name__ == "__main__":
    if sys.argv[1] == "lost":
        lost(Path(sys.argv[2]))
    else:
        {"threads": threads, "graphs": graphs}[sys.argv[1]]()
