"""A strict stand-in for cuda-core and one GPU, whose memory is the host's and whose kernels run.

It has what wn_runtime.engines.device_loop.api declares and nothing else, takes the arguments declared there,
and refuses what the real one would: allocating or waiting while a stream is captured, memory
used after it was given back, a copy past a buffer's end, a kernel with another number of
arguments. Kernels are compiled from their CUDA source by g++ (shim.cpp).
"""

from __future__ import annotations

import ctypes
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_GUARD = 64
_PATTERN = 0xA5


class CudaError(Exception):
    """As cuda-core's CUDAError."""


class Misuse(BaseException):
    """What would be undefined on a GPU. Not an Exception: no code may take it for the device's."""


def require(condition: object, what: str) -> None:
    if not condition:
        raise Misuse(what)


class Gpu:
    """The machine: what is allocated, what is captured, and the faults that a test asks for."""

    def __init__(self, name: str = "Test GPU", arch: str = "87", memory: int = 2**30) -> None:
        self.name, self.arch, self.memory = name, arch, memory
        self.integrated = False
        self.driver = 12060
        self.refuses_code = False
        self.blocks: dict[int, tuple[np.ndarray, int]] = {}
        self.streams: dict[int, Stream] = {}
        self.lost: str | None = None
        self.launches = self.replays = self.compiled = 0
        self.fail_capture = False

    def work(self) -> None:
        """What every call does first: a lost device answers none."""
        if self.lost:
            raise CudaError(self.lost)

    def lose(self) -> None:
        self.lost = "CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure"

    @property
    def used(self) -> int:
        return sum(size for _, size in self.blocks.values())

    def check(self, address: int, size: int) -> None:
        """Raise unless the range lies inside one allocation."""
        for start, (_, length) in self.blocks.items():
            if start <= address and address + size <= start + length:
                return
        raise Misuse(f"illegal address: {size} bytes at {address:#x}")

    def check_guards(self) -> None:
        """Raise when something was written past the end of an allocation."""
        for block, size in self.blocks.values():
            edges = np.concatenate([block[:_GUARD], block[_GUARD + size :]])
            require((edges == _PATTERN).all(), "memory beside an allocation was written")

    def enqueue(self, stream: int, action: Callable[[], None]) -> None:
        """Do it now, or remember it where the stream is being captured."""
        self.work()
        captured = self.streams[stream].captured
        if captured is None:
            action()
        else:
            captured.append(action)

    def not_while_capturing(self, what: str) -> None:
        if any(stream.captured is not None for stream in self.streams.values()):
            raise CudaError(f"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED: {what}")


class Buffer:
    gpu: Gpu

    def __init__(self, handle: int, size: int, owned: bool) -> None:
        self.handle, self.size, self._owned = handle, size, owned

    @staticmethod
    def from_handle(ptr: int, size: int) -> Buffer:
        return Buffer(ptr, size, owned=False)

    def copy_from(self, src: Buffer, *, stream: Stream) -> None:
        self.gpu.work()
        self.gpu.not_while_capturing("copy from pageable memory")
        require(src.size == self.size, "copy of another size")
        require(self._inside(self) or self._inside(src), "neither end is device memory")
        ctypes.memmove(self.handle, src.handle, self.size)

    def fill(self, value: int, *, stream: Stream) -> None:
        self.gpu.work()
        self.gpu.check(self.handle, self.size)
        ctypes.memset(self.handle, value, self.size)

    def close(self) -> None:
        require(self._owned, "a view was closed")
        self.gpu.check_guards()
        del self.gpu.blocks[self.handle]

    def _inside(self, buffer: Buffer) -> bool:
        try:
            self.gpu.check(buffer.handle, buffer.size)
        except Misuse:
            return False
        return True


class Graph:
    def __init__(self, gpu: Gpu, actions: list[Callable[[], None]]) -> None:
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
        self._actions: list[Callable[[], None]] | None = None

    def begin_building(self, mode: str) -> GraphBuilder:
        require(mode in ("global", "thread_local", "relaxed"), mode)
        self._gpu.work()
        self.stream.captured = []
        return self

    def end_building(self) -> GraphBuilder:
        self._actions, self.stream.captured = self.stream.captured, None
        if self._gpu.fail_capture:
            raise CudaError("CUDA_ERROR_STREAM_CAPTURE_INVALIDATED: a previous error")
        return self

    def complete(self) -> Graph:
        if self._actions is None:
            raise Misuse("complete before end_building")
        return Graph(self._gpu, self._actions)

    def close(self) -> None:
        require(self.stream.captured is None, "closed while building")


class Stream:
    def __init__(self, gpu: Gpu) -> None:
        self._gpu, self.handle = gpu, 0x5000 + len(gpu.streams)
        self.captured: list[Callable[[], None]] | None = None
        gpu.streams[self.handle] = self

    def sync(self) -> None:
        self._gpu.work()
        self._gpu.not_while_capturing("synchronize")

    def create_graph_builder(self) -> GraphBuilder:
        return GraphBuilder(self._gpu, self)

    def close(self) -> None:
        del self._gpu.streams[self.handle]


class Properties:
    def __init__(self, gpu: Gpu) -> None:
        self.integrated = gpu.integrated


class Device:
    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self.name, self.arch = gpu.name, gpu.arch
        self.properties = Properties(gpu)

    def set_current(self) -> None:
        self._gpu.work()

    def create_stream(self) -> Stream:
        return Stream(self._gpu)

    def allocate(self, size: int, *, stream: Stream) -> Buffer:
        self._gpu.work()
        self._gpu.not_while_capturing("allocate")
        if self._gpu.used + size > self._gpu.memory:
            raise CudaError("CUDA_ERROR_OUT_OF_MEMORY: the API call failed")
        block = np.full(size + 2 * _GUARD, _PATTERN, np.uint8)
        handle = block.ctypes.data + _GUARD
        self._gpu.blocks[handle] = (block, size)
        return Buffer(handle, size, owned=True)


class ObjectCode:
    gpu: Gpu

    def __init__(self, code: bytes) -> None:
        self.code = code

    @staticmethod
    def from_cubin(module: bytes) -> ObjectCode:
        return ObjectCode(module)

    def get_kernel(self, name: str) -> Any:
        if self.gpu.refuses_code:
            raise CudaError("CUDA_ERROR_NO_BINARY_FOR_GPU: no kernel image is available")
        library, counts = _library(self.code.decode())
        function = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
        return name, function, counts[name], library


def install(monkeypatch: Any, gpu: Gpu) -> Gpu:
    """Make `import cuda.core` and `cuda.bindings.driver` this GPU for the length of a test."""
    Buffer.gpu = ObjectCode.gpu = gpu

    def device(device_id: int) -> Device:
        if device_id != 0:
            raise CudaError("CUDA_ERROR_INVALID_DEVICE: invalid device ordinal")
        return Device(gpu)

    class Program:
        def __init__(self, code: str, code_type: str, options: Any) -> None:
            require(code_type == "c++", code_type)
            require(options == (f"sm_{gpu.arch}", "c++17"), options)
            self._code = code

        def compile(self, target_type: str) -> ObjectCode:
            require(target_type == "cubin", target_type)
            gpu.compiled += 1
            return ObjectCode(self._code.encode())

    def program_options(*, arch: str, std: str) -> Any:
        return arch, std

    def launch_config(*, grid: int, block: int, shmem_size: int) -> Any:
        require(0 < block <= 1024 and grid > 0, "launch configuration")
        require(shmem_size <= 48 * 1024, "more shared memory than a block has")
        return grid, block, shmem_size

    def launch(stream: Any, config: Any, kernel: Any, *kernel_args: Any) -> None:
        handle = stream.stream.handle if isinstance(stream, GraphBuilder) else stream.handle
        name, function, count, library = kernel
        require(len(kernel_args) == count, f"{name} takes {count} arguments")
        require(all(type(each) is int for each in kernel_args), "an address is an int")
        for argument in kernel_args:
            if argument:
                gpu.check(argument, 1)

        def run() -> None:
            gpu.launches += 1
            args = (ctypes.c_void_p * 10)(*kernel_args)
            failed = library.shim_launch(
                ctypes.c_void_p(function), *config, args, gpu.launches
            )  # fmt: skip
            require(not failed, ("", "barrier not reached by all", "shared memory")[failed])

        gpu.enqueue(handle, run)

    core = types.SimpleNamespace(
        Device=device, Buffer=Buffer, ObjectCode=ObjectCode, Program=Program,
        ProgramOptions=program_options, LaunchConfig=launch_config, launch=launch,
    )  # fmt: skip
    driver = types.SimpleNamespace(
        cuMemGetInfo=lambda: (0, gpu.memory - gpu.used, gpu.memory),
        cuDriverGetVersion=lambda: (0, gpu.driver),
    )
    monkeypatch.setitem(sys.modules, "cuda.core", core)
    monkeypatch.setitem(sys.modules, "cuda.bindings.driver", driver)
    return gpu


_LIBRARIES: dict[str, tuple[ctypes.CDLL, dict[str, int]]] = {}


def _library(source: str) -> tuple[ctypes.CDLL, dict[str, int]]:
    """The kernels of a source as host functions, and how many arguments each takes."""
    key = hashlib.sha256(source.encode()).hexdigest()[:16]
    if key not in _LIBRARIES:
        if shutil.which("g++") is None:
            pytest.skip("g++ is not installed")
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            (directory / "kernel.cu").write_text(source, "utf-8")
            shim = shutil.copy(Path(__file__).with_name("shim.cpp"), directory)
            built = directory / "kernel.so"
            subprocess.run(
                ["g++", "-O1", "-std=c++17", "-Wall", "-Wno-cpp", "-ffp-contract=off", "-shared",
                 "-fPIC", f'-DKERNEL="{directory}/kernel.cu"', str(shim), "-o", str(built)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            library = ctypes.CDLL(str(built))
        counts = {}
        for kernel in ("wn_prepare", "wn_advance"):
            found = re.search(rf"__global__ void {kernel}_##SUFFIX\(([^)]*)\)", source)
            assert found, kernel
            for suffix in ("fp16", "fp32"):
                counts[f"{kernel}_{suffix}"] = found.group(1).count(",") + 1
        _LIBRARIES[key] = (library, counts)
    return _LIBRARIES[key]
