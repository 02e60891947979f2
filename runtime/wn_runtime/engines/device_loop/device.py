"""One NVIDIA GPU through cuda-core: memory, a stream, kernels from NVRTC, and captured graphs."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from wn_runtime import extras
from wn_runtime.engines.device_loop.allowance import Allowance
from wn_runtime.engines.device_loop.api import Buffer, Graph
from wn_runtime.engines.device_loop.compiler import compiled, cuda_core, source_digest
from wn_runtime.engines.device_loop.reasons import (
    OLDEST_DRIVER,
    first_line,
    no_gpu,
    none_here,
    too_old,
)
from wn_runtime.errors import EngineUnavailable, WavestepError

_MIB = 2**20


class DeviceLost(WavestepError):
    """The GPU answered a call with an error; what was in its memory is gone."""


class CudaDevice:
    """GPU `ordinal`, with a stream of its own.

    It may be opened in one thread and used in another: CUDA has a current context a thread, so
    every call makes it the calling one's first.
    """

    def __init__(self, ordinal: int = 0) -> None:
        try:
            self._cuda, self._ordinal = cuda_core(), ordinal
        except EngineUnavailable:
            if extras.gpu_possible():
                raise
            raise none_here() from None  # to install cuda-core would not help
        try:
            self._device = self._cuda.Device(ordinal)
            self._device.set_current()
            self.stream = self._device.create_stream()
        except Exception as error:  # cuda-core's errors, and those of loading the driver
            raise no_gpu(error, ordinal) from error
        if self.driver_cuda() < OLDEST_DRIVER:
            raise too_old(self.driver_cuda())
        self.name = str(self._device.name)
        arch = str(self._device.arch)
        self.compute_capability = f"{arch[:-1]}.{arch[-1]}"  # "87": 8.7
        properties = self._device.properties
        self.multiprocessors = int(properties.multiprocessor_count)
        self.shared_bytes = int(properties.max_shared_memory_per_block_optin)
        """Shared memory that a thread block can ask for."""
        self.l2_bytes = int(properties.l2_cache_size)
        self._into: Any = self.stream  # a graph builder during capture
        self._stream_now = self.stream
        self._held: list[Buffer] = []
        self._allowance = Allowance(
            self._cuda, self.name, self.multiprocessors, self.stream, self._guarded
        )
        self._ahead: dict[str, tuple[str, bytes]] = {}  # of a source's text: a file, and its code

    @property
    def handle(self) -> int:
        """The stream that work goes to now, as TensorRT and ONNX Runtime take it."""
        return int(self._stream_now.handle)

    def make_current(self) -> None:
        """Make it the calling thread's GPU, as calls of other libraries (TensorRT) need it."""
        with self._guarded("making it this thread's"):
            pass

    def driver_cuda(self) -> tuple[int, int]:
        """The version of CUDA that the driver is of: (12, 6)."""
        driver = importlib.import_module("cuda.bindings.driver")
        status, version = driver.cuDriverGetVersion()
        return (int(version) // 1000, int(version) % 1000 // 10) if int(status) == 0 else (0, 0)

    def available_bytes(self) -> int:
        """Memory that could be had now; on a Jetson, where it is the host's, caches count too."""
        driver = importlib.import_module("cuda.bindings.driver")
        with self._guarded("asking for its free memory"):
            status, free, _ = driver.cuMemGetInfo()
            if int(status) != 0:
                raise RuntimeError(str(status))
        if not self._device.properties.integrated:
            return int(free)
        return max(int(free), _host_bytes_available())

    def allocate(self, shape: Sequence[int], dtype: DTypeLike) -> DeviceArray:
        """Zeroed memory. Raises EngineUnavailable when there is not enough."""
        array = np.empty(0, dtype)
        size = max(int(np.prod(shape, dtype=np.int64)) * array.itemsize, 16)
        try:
            self._device.set_current()
            buffer = self._device.allocate(size, stream=self.stream)
        except Exception as error:
            room = f"{size / _MIB:.1f} MiB" if size >= _MIB else f"{size:,} bytes"
            raise EngineUnavailable(
                f"the GPU ({self.name}) has no {room} left ({first_line(error)}); "
                "close other programs on it, or take a smaller batch"
            ) from error
        self._held.append(buffer)
        allocated = DeviceArray(buffer, tuple(shape), np.dtype(dtype))
        self.clear(allocated)
        return allocated

    def clear(self, array: DeviceArray) -> None:
        """Zeros."""
        with self._guarded("clearing memory"):
            array.buffer.fill(0, stream=self.stream)

    def free(self, array: DeviceArray) -> None:
        """Give one array back before the others."""
        self._held = [buffer for buffer in self._held if buffer is not array.buffer]
        self._give_back([array.buffer])

    def upload(self, array: DeviceArray, values: NDArray[Any]) -> None:
        """Copy `values` to the start of `array`; done when this returns."""
        source = np.ascontiguousarray(values, array.dtype)
        assert source.nbytes <= array.buffer.size, (source.shape, array.shape)
        if not source.nbytes:
            return
        with self._guarded("copying to it"):
            host = self._cuda.Buffer.from_handle(source.ctypes.data, source.nbytes)
            target = self._cuda.Buffer.from_handle(array.address, source.nbytes)
            target.copy_from(host, stream=self.stream)
            self.stream.sync()  # `source` may go away

    def download(self, array: DeviceArray, rows: int | None = None) -> NDArray[Any]:
        """The first `rows` of `array`, or all; waits for the work before it."""
        shape = array.shape if rows is None else (rows, *array.shape[1:])
        result = np.empty(shape, array.dtype)
        if result.nbytes:
            with self._guarded("copying from it"):
                host = self._cuda.Buffer.from_handle(result.ctypes.data, result.nbytes)
                source = self._cuda.Buffer.from_handle(array.address, result.nbytes)
                host.copy_from(source, stream=self.stream)
                self.stream.sync()
        return result

    def copy(self, to: int, source: int, size: int) -> None:
        """Enqueue a copy of `size` bytes between two places in its memory."""
        with self._guarded("copying in it"):
            target = self._cuda.Buffer.from_handle(to, size)
            target.copy_from(self._cuda.Buffer.from_handle(source, size), stream=self._into)

    @contextlib.contextmanager
    def on(self, stream: int) -> Iterator[None]:
        """Have launches and copies go into another's stream, by its handle, meanwhile."""
        before = self._into
        with self._guarded("taking a stream"):
            self._into = self._cuda.Stream.from_handle(stream)
        try:
            yield
        finally:
            self._into = before

    def prepare(self, source: str, file: str, cubin: bytes) -> None:
        """Have the code that was compiled ahead of `source` run in its place, from now on.

        file: where it is from, for an error to name.
        """
        self._ahead[source_digest(source)] = file, cubin

    def kernels(self, source: str, *names: str) -> list[Any]:
        """Kernels of CUDA C++ compiled for this GPU, now or at an earlier time.

        Raises EngineUnavailable where NVRTC is missing or refuses, or the GPU refuses the code.
        """
        ahead = self._ahead.get(source_digest(source))
        if ahead is not None:
            return self._loaded(*ahead, names)

        def read(path: Path) -> list[Any]:
            return self._loaded(str(path), path.read_bytes(), names)

        return compiled(self._cuda, source, self.compute_capability, read)

    def _loaded(self, file: str, cubin: bytes, names: Sequence[str]) -> list[Any]:
        try:
            self._device.set_current()
            module = self._cuda.ObjectCode.from_cubin(cubin)
            return [module.get_kernel(name) for name in names]
        except Exception as error:
            raise WavestepError(
                f"the GPU ({self.name}) refuses {file} ({first_line(error)}; its driver goes "
                f"with the extra {extras.fitting('tensorrt')})"
            ) from error

    def allow(
        self, kernel: Any, threads: int, shared: int, cluster: int, together: int = 0
    ) -> None:
        """See `Allowance.allow`."""
        self._allowance.allow(kernel, threads, shared, cluster, together)

    def launch(
        self,
        kernel: Any,
        grid: int,
        block: int,
        shared: int,
        *args: int,
        cluster: int = 1,
        together: bool = False,
    ) -> None:
        """Enqueue a kernel of `grid` clusters, or blocks; an argument is an address or a number.

        together: all blocks run at once, as they wait for each other (a cooperative launch).
        Raises EngineUnavailable for more shared memory than it was allowed, or than SHARED_BYTES.
        """
        self._allowance.check(kernel, shared)
        with self._guarded("launching a kernel"):
            if cluster == 1:
                config = self._cuda.LaunchConfig(
                    grid=grid, block=block, shmem_size=shared, is_cooperative=together
                )
            else:
                config = self._cuda.LaunchConfig(
                    grid=grid, cluster=cluster, block=block, shmem_size=shared
                )
            self._cuda.launch(self._into, config, kernel, *args)

    def capture(self, enqueue: Callable[[], None]) -> Graph:
        """What `enqueue` puts into the stream, as a graph. Raises whatever fails on the way."""
        self._device.set_current()
        builder = self.stream.create_graph_builder()
        builder.begin_building("thread_local")
        self._into, self._stream_now = builder, builder.stream
        try:
            enqueue()
        except BaseException:
            # The stream is capturing still; ending that is also what clears CUDA's error.
            _quietly(builder.end_building)
            _quietly(builder.close)
            raise
        finally:
            self._into = self._stream_now = self.stream
        graph = builder.end_building().complete()
        builder.close()
        return graph

    def replay(self, graph: Graph) -> None:
        """Enqueue a captured graph."""
        with self._guarded("launching a graph"):
            graph.launch(self.stream)

    def synchronize(self) -> None:
        """Wait for all work. Raises DeviceLost when it failed."""
        with self._guarded("waiting for it"):
            self.stream.sync()

    def close(self) -> None:
        """Give the memory and the stream back; errors of a lost device are of no use here."""
        self._give_back(self._held)
        self._held.clear()
        _quietly(self.stream.sync)  # the buffers are given back in the stream's order
        _quietly(self._trim_pool)
        _quietly(self.stream.close)

    def _give_back(self, buffers: Sequence[Buffer]) -> None:
        """A lost device has taken its memory with it.

        There cuda-core would write a line to stderr for each buffer, even as the process ends.
        """
        _quietly(self._device.set_current)
        there = _quietly(self.stream.sync)
        for buffer in buffers:
            if there:
                _quietly(buffer.close)
            else:
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(buffer))

    def _trim_pool(self) -> None:
        """Give what is free in the device's memory pool back: cuda-core has it keep all."""
        driver = importlib.import_module("cuda.bindings.driver")
        status, pool = driver.cuDeviceGetMemPool(self._ordinal)
        if int(status) == 0:  # some GPUs have no pools
            driver.cuMemPoolTrimTo(pool, 0)

    @contextlib.contextmanager
    def _guarded(self, doing: str) -> Iterator[None]:
        try:
            self._device.set_current()
            yield
        except WavestepError:
            raise
        except Exception as error:
            raise DeviceLost(
                f"the GPU ({self.name}) failed while {doing}: {first_line(error)}; the streams' "
                "state is lost: open the engine again, and see dmesg if it stays away"
            ) from error


class DeviceArray:
    """A row-major array in the GPU's memory."""

    def __init__(self, buffer: Buffer, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.buffer, self.shape, self.dtype = buffer, shape, dtype
        self.address = int(buffer.handle)

    def row(self, index: int) -> int:
        """The address of a row."""
        return self.address + index * int(np.prod(self.shape[1:])) * self.dtype.itemsize


def _host_bytes_available() -> int:
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _quietly(give_back: Callable[[], Any]) -> bool:
    """Whether it could be done."""
    try:
        give_back()
    except Exception:
        return False
    return True
