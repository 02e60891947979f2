"""What wavestep uses of cuda-core (1.0 and newer), as types: nothing else passes the type check.

tests/runtime/engines/device_loop/test_cuda_core.py holds these, and the stand-in that tests run
on, to the real package.
"""

from __future__ import annotations

from typing import Any, Protocol


class Buffer(Protocol):
    """Memory of the device, or a view of memory of the host."""

    handle: Any
    size: int

    def copy_from(self, src: Buffer, *, stream: Any) -> None: ...
    def fill(self, value: int, *, stream: Any) -> None: ...
    def close(self) -> None: ...


class BufferClass(Protocol):
    """The class `Buffer`."""

    def from_handle(self, ptr: int, size: int) -> Buffer: ...


class Graph(Protocol):
    """Captured work, ready to be launched again and again."""

    def launch(self, stream: Stream) -> None: ...
    def close(self) -> None: ...


class GraphBuilder(Protocol):
    """Captures what a stream is given."""

    stream: Stream

    def begin_building(self, mode: str) -> GraphBuilder: ...
    def end_building(self) -> GraphBuilder: ...
    def complete(self) -> Graph: ...
    def close(self) -> None: ...


class Stream(Protocol):
    """Work in order."""

    handle: Any

    def sync(self) -> None: ...
    def create_graph_builder(self) -> GraphBuilder: ...
    def close(self) -> None: ...


class DeviceProperties(Protocol):
    """Of a GPU."""

    multiprocessor_count: int
    max_shared_memory_per_block_optin: int
    l2_cache_size: int
    integrated: bool
    """It shares the host's memory, as a Jetson does."""


class Device(Protocol):
    """A GPU."""

    name: str
    arch: str
    """`87` for compute capability 8.7."""
    properties: DeviceProperties

    def set_current(self) -> Any: ...
    def create_stream(self) -> Stream: ...
    def allocate(self, size: int, *, stream: Stream) -> Buffer: ...


class ObjectCode(Protocol):
    """Compiled code."""

    code: bytes

    def get_kernel(self, name: str) -> Any: ...


class ObjectCodeClass(Protocol):
    """The class `ObjectCode`."""

    def from_cubin(self, module: bytes) -> ObjectCode: ...


class Program(Protocol):
    """Source, given to NVRTC."""

    def compile(self, target_type: str, *, logs: Any = None) -> ObjectCode: ...


class CudaCore(Protocol):
    """The module `cuda.core`."""

    Buffer: BufferClass
    ObjectCode: ObjectCodeClass

    def Device(self, device_id: int) -> Device: ...
    def Program(self, code: str, code_type: str, options: Any) -> Program: ...
    def ProgramOptions(self, *, arch: str, std: str, ptxas_options: str | None = None) -> Any: ...
    def LaunchConfig(
        self,
        *,
        grid: int,
        block: int,
        shmem_size: int,
        cluster: int | None = None,
        is_cooperative: bool = False,
    ) -> Any: ...
    def launch(self, stream: Any, config: Any, kernel: Any, *kernel_args: Any) -> None: ...
