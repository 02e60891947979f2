"""Launches through the stand-in of cuda-core: blocks, clusters, shared memory, arguments."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu.gpu import CudaError, Gpu, Misuse
from tests.cuda_on_cpu.kernels import HostKernel
from tests.cuda_on_cpu.launching import always, run

WHERE = """
extern "C" __global__ void __launch_bounds__(32) wn_where(u32 *out, long long number) {
    SHARED_MEMORY(memory);
    (void)memory;
    if (threadIdx.x == 0)
        out[blockIdx.x] = (u32)number + cluster_rank() + 100 * blockIdx.x + 10000 * gridDim.x;
}
"""


class Machine:
    """A GPU with the kernel `wn_where`."""

    def __init__(self, patch: pytest.MonkeyPatch, arch: str = "90") -> None:
        cuda.install(patch, Gpu(arch=arch))
        self.core: Any = importlib.import_module("cuda.core")
        self.driver: Any = importlib.import_module("cuda.bindings.driver")
        self.device = self.core.Device(0)
        self.device.set_current()
        self.stream = self.device.create_stream()
        options = self.core.ProgramOptions(arch=f"sm_{arch}", std="c++17")
        code = self.core.Program(WHERE, "c++", options).compile("cubin").code
        self.kernel: HostKernel = self.core.ObjectCode.from_cubin(code).get_kernel("wn_where")
        self.out = self.device.allocate(4 * 64, stream=self.stream)

    def launch(self, number: int = 0, **config: int) -> list[int]:
        config = {"block": 32, "shmem_size": 0, **config}
        given = self.core.LaunchConfig(**config)
        self.core.launch(self.stream, given, self.kernel, self.out.handle, number)
        result = np.zeros(64, np.uint32)
        host = self.core.Buffer.from_handle(result.ctypes.data, result.nbytes)
        host.copy_from(self.out, stream=self.stream)
        return result.tolist()[: config["grid"] * config.get("cluster", 1)]

    def allow(self, name: str, value: int) -> int:
        attribute = getattr(self.driver.CUfunction_attribute, f"CU_FUNC_ATTRIBUTE_{name}")
        (status,) = self.driver.cuKernelSetAttribute(attribute, value, self.kernel.handle, 0)
        return int(status)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_a_grid_of_clusters_counts_clusters(machine: Machine) -> None:
    found = machine.launch(grid=3, cluster=2, number=7)
    assert found == [7 + b % 2 + 100 * b + 60000 for b in range(6)]
    assert machine.launch(grid=2) == [20000, 20100]


def test_a_large_cluster_is_asked_for(machine: Machine) -> None:
    with pytest.raises(Misuse, match="a cluster of 16 blocks, not asked for"):
        machine.launch(grid=1, cluster=16)
    assert machine.allow("NON_PORTABLE_CLUSTER_SIZE_ALLOWED", 1) == 0
    assert len(machine.launch(grid=1, cluster=16)) == 16


def test_much_shared_memory_is_asked_for(machine: Machine) -> None:
    with pytest.raises(Misuse, match="49168 bytes of shared memory, not asked for"):
        machine.launch(grid=1, shmem_size=48 * 1024 + 16)
    assert machine.allow("MAX_DYNAMIC_SHARED_SIZE_BYTES", 228 * 1024) != 0
    assert machine.allow("MAX_DYNAMIC_SHARED_SIZE_BYTES", 227 * 1024) == 0
    machine.launch(grid=1, shmem_size=227 * 1024)


def test_an_older_gpu_has_no_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    patched = WHERE.replace("cluster_rank()", "0")
    monkeypatch.setattr("tests.cuda_on_cpu.test_launch.WHERE", patched)
    machine = Machine(monkeypatch, "87")
    with pytest.raises(CudaError, match="compute capability"):
        machine.launch(grid=1, cluster=2)
    assert machine.allow("MAX_DYNAMIC_SHARED_SIZE_BYTES", 164 * 1024) != 0


def test_an_address_must_be_one_and_a_number_need_not(machine: Machine) -> None:
    assert machine.launch(grid=1, number=2**40 + 5) == [10005]
    config = machine.core.LaunchConfig(grid=1, block=32, shmem_size=0)
    with pytest.raises(Misuse, match="illegal address"):
        machine.core.launch(machine.stream, config, machine.kernel, 64, 0)


def test_the_real_attributes_have_these_numbers() -> None:
    driver = pytest.importorskip("cuda.bindings.driver", reason="cuda-bindings is not installed")
    for attribute in cuda.Attribute:
        assert int(getattr(driver.CUfunction_attribute, attribute.name)) == attribute


def test_shared_memory_starts_as_nan_and_is_each_block_s_own() -> None:
    body = """
        SHARED_MEMORY(memory);
        float *x = (float *)memory;
        a[blockIdx.x * 32 + me] = x[me];
        x[me] = blockIdx.x;
        cluster_sync();
        b[blockIdx.x * 32 + me] = x[31 - me];
    """

    def check(seed: int) -> bool:
        first, then = (np.zeros((6, 32), np.float32) for _ in range(2))
        run(body, first, then, blocks=3, cluster=2, shared=128, seed=seed)
        return bool(np.isnan(first).all() and (then == np.arange(6)[:, None]).all())

    always(check)


@pytest.mark.parametrize("at", [-1, 128])
def test_a_write_beside_shared_memory_is_told(at: int) -> None:
    with pytest.raises(Misuse, match="block 0 wrote beside its 128 bytes"):
        run("SHARED_MEMORY(memory); memory[a] = 0;", at, shared=128)


def test_blocks_of_other_clusters_come_in_any_order() -> None:
    orders = set()
    for seed in range(8):
        order = np.zeros(4, np.uint32)
        run("if (me == 0) { a[b[0]] = blockIdx.x; b[0]++; }", order, np.zeros(1, np.uint32),
            blocks=4, seed=seed)  # fmt: skip
        assert sorted(order) == [0, 1, 2, 3]
        orders.add(tuple(order))
    assert len(orders) > 1


def test_the_largest_launch_of_one_cluster_runs() -> None:
    out = np.zeros((16, 1024), np.uint32)
    body = "cluster_sync(); a[blockIdx.x * 1024 + me] = __shfl_xor_sync(ALL_LANES, me, 1);"
    run(body, out, cluster=16, threads=1024)
    assert (out == np.arange(1024) ^ 1).all()
