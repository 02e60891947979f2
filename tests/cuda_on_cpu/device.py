"""A strict stand-in for cuda-core on one GPU (gpu.py), whose kernels run on the CPU (kernels.py).

It has what wn_runtime.engines.device_loop.api declares and nothing else, takes the arguments
declared there, and refuses what the real one would: allocating or waiting while a stream is
captured, memory used after it was given back, a copy past a buffer's end, a kernel with another
number of arguments.
"""

from __future__ import annotations

import ctypes
import re
import sys
import types
from enum import IntEnum
from typing import Any

import pytest

from tests.cuda_on_cpu.gpu import Action, CudaError, Misuse, require
from tests.cuda_on_cpu.gpu import Gpu as Gpu
from tests.cuda_on_cpu.kernels import Config, HostKernel, Limits, kernel

MOST_BLOCKS = 16
"""Of a cluster that is not portable."""
_ARCH = "// sm_"
_PTXAS = """ptxas info    : Compiling entry function 'wn_generate' for 'sm_87'
ptxas         .     0 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 80 registers, used 16 barriers, 464 bytes cmem[0], 8 bytes cmem[2]
"""
"""As NVRTC 13.5 logs it."""


class Buffer:
    gpu: Gpu

    def __init__(self, handle: int, size: int, owned: bool) -> None:
        self.handle, self.size, self._owned = handle, size, owned

    @staticmethod
    def from_handle(ptr: int, size: int) -> Buffer:
        return Buffer(ptr, size, owned=False)

    def copy_from(self, src: Buffer, *, stream: Stream | GraphBuilder) -> None:
        self.gpu.work()
        require(src.size == self.size, "copy of another size")
        on_device = [self.gpu.holds(each.handle, each.size) for each in (self, src)]
        require(any(on_device), "neither end is device memory")
        if all(on_device):
            to, source, size = self.handle, src.handle, self.size

            def copy() -> None:
                ctypes.memmove(to, source, size)

            self.gpu.enqueue(_handle(stream), copy)
            return
        self.gpu.not_while_capturing("copy from pageable memory")
        ctypes.memmove(self.handle, src.handle, self.size)

    def fill(self, value: int, *, stream: Stream) -> None:
        self.gpu.work()
        self.gpu.check(self.handle, self.size)
        ctypes.memset(self.handle, value, self.size)

    def close(self) -> None:
        require(self._owned, "a view was closed")
        self.gpu.free(self.handle)


class Graph:
    def __init__(self, gpu: Gpu, actions: list[Action]) -> None:
        self._gpu, self._actions, self._closed = gpu, actions, False

    def launch(self, stream: Stream) -> None:
        require(not self._closed, "launch of a closed graph")
        self._gpu.work()
        self._gpu.replays += 1
        for action in self._actions:
            action()

    def close(self) -> None:
        self._closed = True


class GraphBuilder:
    def __init__(self, gpu: Gpu, stream: Stream) -> None:
        self._gpu, self.stream = gpu, stream
        self._actions: list[Action] | None = None

    def begin_building(self, mode: str) -> GraphBuilder:
        require(mode in ("global", "thread_local", "relaxed"), mode)
        self._gpu.begin_capture(self.stream.handle)
        return self

    def end_building(self) -> GraphBuilder:
        self._actions = self._gpu.end_capture(self.stream.handle)
        return self

    def complete(self) -> Graph:
        if self._actions is None:
            raise Misuse("complete before end_building")
        return Graph(self._gpu, self._actions)

    def close(self) -> None:
        require(not self._gpu.capturing(self.stream.handle), "closed while building")


class Stream:
    gpu: Gpu

    def __init__(self, gpu: Gpu, handle: int | None = None) -> None:
        self._gpu, self.handle = gpu, gpu.open_stream() if handle is None else handle

    @classmethod
    def from_handle(cls, handle: int) -> Stream:
        return cls(cls.gpu, handle)

    def sync(self) -> None:
        self._gpu.work()
        self._gpu.not_while_capturing("synchronize")
        self._gpu.settle()

    def create_graph_builder(self) -> GraphBuilder:
        return GraphBuilder(self._gpu, self)

    def close(self) -> None:
        self._gpu.close_stream(self.handle)


class Properties:
    def __init__(self, gpu: Gpu) -> None:
        self.integrated = gpu.integrated
        self.multiprocessor_count = gpu.multiprocessors
        self.max_shared_memory_per_block_optin = gpu.most_shared
        self.l2_cache_size = gpu.l2


class Device:
    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self.name, self.arch = gpu.name, gpu.arch
        self.properties = Properties(gpu)

    def set_current(self) -> None:
        self._gpu.make_current()

    def create_stream(self) -> Stream:
        return Stream(self._gpu)

    def allocate(self, size: int, *, stream: Stream) -> Buffer:
        return Buffer(self._gpu.allocate(size), size, owned=True)


class ObjectCode:
    """A cubin here is the source itself, after a line with the GPU that it is for."""

    gpu: Gpu

    def __init__(self, code: bytes) -> None:
        self.code = code

    @staticmethod
    def from_cubin(module: bytes) -> ObjectCode:
        return ObjectCode(module)

    def get_kernel(self, name: str) -> HostKernel:
        self.gpu.accept_code()
        if not self.code.startswith(_ARCH.encode()):
            raise CudaError("CUDA_ERROR_INVALID_IMAGE: device kernel image is invalid")
        arch, _, source = self.code.decode().removeprefix(_ARCH).partition("\n")
        require(arch == self.gpu.arch, f"code for sm_{arch} on sm_{self.gpu.arch}")
        return kernel(source, name, arch)


class Program:
    gpu: Gpu

    def __init__(self, code: str, code_type: str, options: Any) -> None:
        require(code_type == "c++", code_type)
        arch, standard = options
        require(re.fullmatch(r"sm_\d{2,3}", arch) and standard == "c++17", options)
        self._code, self._arch = code, arch.removeprefix("sm_")

    def compile(self, target_type: str, *, logs: Any = None) -> ObjectCode:
        require(target_type == "cubin", target_type)
        self.gpu.compiled += 1
        if logs is not None:
            logs.write(_PTXAS)
        return ObjectCode(f"{_ARCH}{self._arch}\n{self._code}".encode())


def _handle(stream: Stream | GraphBuilder) -> int:
    return stream.stream.handle if isinstance(stream, GraphBuilder) else stream.handle


class Result(IntEnum):
    """CUresult, as far as one is returned here."""

    CUDA_SUCCESS = 0
    CUDA_ERROR_INVALID_VALUE = 1


class Attribute(IntEnum):
    """CUfunction_attribute, as far as a kernel is told anything here."""

    CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8
    CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED = 14


def install(monkeypatch: pytest.MonkeyPatch, gpu: Gpu) -> Gpu:
    """Make `import cuda.core` and `cuda.bindings.driver` this GPU for the length of a test."""
    Buffer.gpu = ObjectCode.gpu = Program.gpu = Stream.gpu = gpu

    def device(device_id: int) -> Device:
        if device_id != 0:
            raise CudaError("CUDA_ERROR_INVALID_DEVICE: invalid device ordinal")
        return Device(gpu)

    def launch_config(
        *,
        grid: int,
        block: int,
        shmem_size: int,
        cluster: int | None = None,
        is_cooperative: bool = False,
    ) -> Config:
        """With a cluster, `grid` counts clusters."""
        require(0 < block <= 1024 and grid > 0, "launch configuration")
        if cluster is None:
            return Config(grid, 1, block, shmem_size, is_cooperative)
        require(not is_cooperative, "a cooperative launch of clusters")
        require(0 < cluster <= MOST_BLOCKS, f"a cluster of {cluster} blocks")
        if not gpu.has_clusters:
            raise CudaError("thread block clusters need compute capability 9.0 or newer")
        return Config(grid, cluster, block, shmem_size)

    def set_attribute(attrib: Attribute, val: int, kernel: Limits, dev: int) -> tuple[Result]:
        gpu.work()
        require(dev == 0 and isinstance(kernel, Limits), "a kernel's handle, and a device")
        if attrib is Attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
            if not 0 <= val <= gpu.most_shared:
                return (Result.CUDA_ERROR_INVALID_VALUE,)
            kernel.shared = val
        else:
            kernel.non_portable_cluster = bool(val)
        return (Result.CUDA_SUCCESS,)

    def program_options(*, arch: str, std: str, ptxas_options: str | None = None) -> Any:
        require(ptxas_options in (None, "-v"), f"ptxas {ptxas_options}")
        return arch, std

    def launch(
        stream: Stream | GraphBuilder, config: Config, kernel: HostKernel, *kernel_args: int
    ) -> None:
        handle = _handle(stream)
        count = len(kernel.pointers)
        require(len(kernel_args) == count, f"{kernel.name} takes {count} arguments")
        require(all(type(each) is int for each in kernel_args), "an argument is an int")
        for argument, pointer in zip(kernel_args, kernel.pointers, strict=True):
            if argument and pointer:
                gpu.check(argument, 1)

        most = kernel.occupancy.blocks * gpu.multiprocessors
        if config.cooperative and config.grid > most:
            raise CudaError("CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE: too many blocks")

        def run() -> None:
            gpu.launches += 1
            kernel.run(config, kernel_args, gpu.launches)

        gpu.enqueue(handle, run)

    def trim(pool: str, keep: int) -> tuple[int]:
        require((pool, keep) == ("pool", 0), "trim")
        gpu.trim()
        return (0,)

    core = types.SimpleNamespace(
        Device=device,
        Buffer=Buffer,
        ObjectCode=ObjectCode,
        Stream=Stream,
        Program=Program,
        ProgramOptions=program_options,
        LaunchConfig=launch_config,
        launch=launch,
    )
    major, minor = gpu.driver // 1000, gpu.driver % 1000 // 10
    nvrtc = types.SimpleNamespace(nvrtcVersion=lambda: (0, major, minor))
    driver = types.SimpleNamespace(
        cuMemGetInfo=lambda: (0, gpu.memory - gpu.reserved, gpu.memory),
        cuDriverGetVersion=lambda: (0, gpu.driver),
        CUfunction_attribute=Attribute,
        cuKernelSetAttribute=set_attribute,
        cuDeviceGetMemPool=lambda dev: (0, "pool") if gpu.pools else (801, None),
        cuMemPoolTrimTo=trim,
    )
    monkeypatch.setitem(sys.modules, "cuda.core", core)
    monkeypatch.setitem(sys.modules, "cuda.bindings.driver", driver)
    monkeypatch.setitem(sys.modules, "cuda.bindings.nvrtc", nvrtc)
    return gpu
