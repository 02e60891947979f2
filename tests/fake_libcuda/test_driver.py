"""The driver without a GPU runs what it is given, and refuses what would be undefined on one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.fake_libcuda.driver import Machine, compiled

SOURCE = """
extern "C" __global__ void wn_add(unsigned *a, long long n) { a[threadIdx.x] += n; }
"""
BEGIN = f"""
import numpy as np
from wn_runtime.engines.device_loop.device import CudaDevice
device = CudaDevice()
array = device.allocate((32,), np.uint32)
(add,) = device.kernels({SOURCE!r}, "wn_add")
host = np.full(32, 7, np.uint32)
from_host = device._cuda.Buffer.from_handle
"""


@pytest.fixture(scope="module")
def machine(nvrtc: Any, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    found = Machine(tmp_path_factory.mktemp("machine"))
    found.provide(SOURCE, "87", compiled(nvrtc, SOURCE, "87"), "wn_add")
    return found


def said(machine: Machine, script: str) -> str:
    done = machine.run("-c", BEGIN + script)
    return done.stderr if done.returncode else done.stdout


def test_a_kernel_runs_when_it_is_waited_for_and_not_before(machine: Machine) -> None:
    script = """
device.upload(array, host)
device.launch(add, 1, 32, 0, array.address, 2**32 + 5)
back = from_host(host.ctypes.data, host.nbytes)
back.copy_from(from_host(array.address, host.nbytes), stream=device.stream)
print(host.tolist() == [7] * 32)
device.synchronize()
print(host.tolist() == [12] * 32)
"""
    assert said(machine, script) == "True\nTrue\n"
    assert machine.calls("cuLaunchKernelEx") == [
        "0 wn_add clusters 1 of 1, threads 32, shared 0, arguments 2"
    ]
    assert machine.calls("left") == ["0 0 bytes"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "device.launch(add, 1, 32, 0, host.ctypes.data, 5); device.synchronize()",
            "argument 0 of wn_add, .* is no address of the device's",
        ),
        (
            "from_host(array.address, 132).copy_from(from_host(host.ctypes.data, 132), "
            "stream=device.stream); device.synchronize()",
            "132 bytes at .* lie in no allocation",
        ),
        (
            "device.launch(add, 1, 64, 0, array.address, 5); device.close()",
            "byte 128 of an allocation of 128 was written",
        ),
    ],
)
def test_misuse_ends_the_process(machine: Machine, script: str, words: str) -> None:
    found = said(machine, script)
    assert re.search("misuse of CUDA: " + words, found), found
