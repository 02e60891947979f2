"""What a kernel must be allowed before it is launched: shared memory, clusters, blocks at once."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from wn_runtime.engines.device_loop.api import CudaCore, Stream
from wn_runtime.errors import EngineUnavailable

PORTABLE_CLUSTER = 8
"""Blocks of a cluster that every GPU with clusters runs."""
SHARED_BYTES = 48 * 1024
"""Shared memory that a block has of every GPU; for more its kernel has to be given an attribute."""


class NoSuchCluster(EngineUnavailable):
    """The GPU has clusters, but of fewer blocks, or of blocks with less shared memory."""


class NotAtOnce(EngineUnavailable):
    """The GPU does not run all blocks of a launch at once, and they wait for each other."""


class Allowance:
    """Of the kernels of one GPU."""

    def __init__(
        self,
        cuda: CudaCore,
        name: str,
        multiprocessors: int,
        stream: Stream,
        guarded: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        """guarded: makes the GPU current, and knows what its errors mean; it is told for what."""
        self._cuda, self._name, self._stream = cuda, name, stream
        self._multiprocessors, self._guarded = multiprocessors, guarded
        self._shared: dict[int, int] = {}

    def allow(
        self, kernel: Any, threads: int, shared: int, cluster: int, together: int = 0
    ) -> None:
        """Let a kernel have so many bytes of shared memory, in clusters of so many blocks.

        together: blocks of a launch that wait for each other. Raises EngineUnavailable where the
        GPU has less, NotAtOnce where it does not run so many, NoSuchCluster where it hosts none
        such: that depends on how its multiprocessors lie together, on other processes too.
        """
        driver = importlib.import_module("cuda.bindings.driver")
        attribute = driver.CUfunction_attribute
        asked = [(attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, shared)]
        if cluster > PORTABLE_CLUSTER:
            asked.append((attribute.CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1))
        for name, value in asked:
            with self._guarded("preparing a kernel"):
                (status,) = driver.cuKernelSetAttribute(name, value, kernel.handle, 0)
            if int(status) != 0:
                raise EngineUnavailable(
                    f"the GPU ({self._name}) refuses a kernel {shared} bytes of shared memory in "
                    f"clusters of {cluster} ({status.name}); use another engine"
                )
        self._shared[id(kernel)] = shared
        if together:
            self._require_at_once(kernel, threads, shared, together)
        if cluster == 1:
            return
        with self._guarded("asking for its clusters"):
            config = self._cuda.LaunchConfig(
                grid=1, cluster=cluster, block=threads, shmem_size=shared
            )
            hosted = int(kernel.occupancy.max_active_clusters(config, stream=self._stream))
        if hosted < 1:
            raise NoSuchCluster(
                f"the GPU ({self._name}) hosts no cluster of {cluster} blocks with {shared} bytes "
                "of shared memory each; set WAVESTEP_CUDA_SCHEDULE=alone:1"
            )

    def _require_at_once(self, kernel: Any, threads: int, shared: int, blocks: int) -> None:
        with self._guarded("asking how many blocks it runs at once"):
            occupancy = kernel.occupancy
            each = int(occupancy.max_active_blocks_per_multiprocessor(threads, shared))
        if each * self._multiprocessors < blocks:
            raise NotAtOnce(
                f"the GPU ({self._name}) runs {each * self._multiprocessors} blocks with {shared} "
                f"bytes of shared memory at once, and {blocks} wait for each other; set "
                "WAVESTEP_CUDA_SCHEDULE=alone:1"
            )

    def check(self, kernel: Any, shared: int) -> None:
        """Raise EngineUnavailable for more shared memory than SHARED_BYTES, or was allowed."""
        if shared > max(SHARED_BYTES, self._shared.get(id(kernel), 0)):
            raise EngineUnavailable(
                f"a kernel takes {shared} bytes of shared memory a block; the GPU ({self._name}) "
                f"gives it {SHARED_BYTES} unless it is prepared for more: take another engine"
            )
