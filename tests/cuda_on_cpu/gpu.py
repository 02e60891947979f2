"""One GPU whose memory is the host's: what is allocated, what is captured, what goes wrong.

`device.py` and `tensorrt.py` are the libraries that work on it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

GUARD = 64
"""Bytes before and after each allocation that nobody may write."""
ALIGNMENT = 256
"""Bytes that the address of an allocation is a multiple of."""
_PATTERN = 0xA5
_KIB_SHARED = {"75": 64, "80": 163, "86": 99, "87": 163, "89": 99, "120": 99}
"""Shared memory that a block can have when it is asked for; 227 KiB of the GPUs not named."""

Action = Callable[[], None]


class CudaError(Exception):
    """As cuda-core's CUDAError."""


class Misuse(BaseException):
    """What would be undefined on a GPU. Not an Exception: no code may take it for the device's."""


def require(condition: object, what: str) -> None:
    """Raise Misuse unless `condition` holds."""
    if not condition:
        raise Misuse(what)


class Gpu:
    """The machine, and the faults that a test asks for."""

    def __init__(self, name: str = "Test GPU", arch: str = "87", memory: int = 2**30) -> None:
        self.name, self.arch, self.memory = name, arch, memory
        self.integrated = False
        self.multiprocessors, self.l2 = 16, 4 * 2**20
        self.shared: int | None = None
        """Bytes of shared memory a block, in place of what its kind has."""
        self.driver = 12061  # no real one's: what is compiled for it serves no other GPU
        self.lost: str | None = None
        """The error that every call is answered with."""
        self.fail_capture = False
        self.refusals = 0
        """Times more that it refuses code."""
        self.launches = self.replays = self.compiled = 0
        """Kernels run, graphs replayed, programs compiled so far."""
        self.blocks: dict[int, tuple[NDArray[np.uint8], int]] = {}
        """Address of an allocation to its memory, guards included, and its bytes."""
        self.pools = True
        """Whether freed memory goes back to a pool that keeps it, as cuda-core has it."""
        self._freed = self._idle = 0
        self._current = threading.local()
        self._captures: dict[int, list[Action] | None] = {}
        self._handles = itertools.count(0x5000)

    @property
    def most_shared(self) -> int:
        """Bytes of shared memory that a block can have."""
        return _KIB_SHARED.get(self.arch, 227) * 1024 if self.shared is None else self.shared

    @property
    def has_clusters(self) -> bool:
        """Whether blocks can be launched in clusters."""
        return int(self.arch) >= 90

    def work(self) -> None:
        """What every call does first: a lost device answers none, nor one of another thread."""
        if self.lost:
            raise CudaError(self.lost)
        if not self.current:
            raise CudaError("CUDA_ERROR_INVALID_CONTEXT: invalid device context")

    @property
    def current(self) -> bool:
        """Whether it is the GPU of the calling thread."""
        return getattr(self._current, "here", False)

    def make_current(self) -> None:
        """Make it that."""
        if self.lost:
            raise CudaError(self.lost)
        self._current.here = True

    def lose(self) -> None:
        """From now on nothing works."""
        self.lost = "CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure"

    @property
    def used(self) -> int:
        """Bytes allocated."""
        return sum(size for _, size in self.blocks.values())

    @property
    def reserved(self) -> int:
        """Bytes that no other program can have: allocated, or kept by the pool."""
        return self.used + self._freed + self._idle

    def settle(self) -> None:
        """The work of all streams is done, and so is the freeing among it."""
        self._idle += self._freed
        self._freed = 0

    def trim(self) -> None:
        """Give back what the pool keeps; memory whose freeing is to come yet stays."""
        self._idle = 0

    def allocate(self, size: int) -> int:
        """The address of memory that holds garbage, as a GPU's does."""
        self.work()
        self.not_while_capturing("allocate")
        if self.used + self._freed + size > self.memory:
            raise CudaError("CUDA_ERROR_OUT_OF_MEMORY: the API call failed")
        self._idle -= min(size, self._idle)
        whole = np.full(size + 2 * GUARD + ALIGNMENT, _PATTERN, np.uint8)
        first = -(whole.ctypes.data + GUARD) % ALIGNMENT
        block = whole[first : first + size + 2 * GUARD]
        address = block.ctypes.data + GUARD
        self.blocks[address] = (block, size)
        return address

    def free(self, address: int) -> None:
        """Give an allocation back."""
        self.check_guards()
        _, size = self.blocks.pop(address)
        self._freed += size if self.pools else 0

    def holds(self, address: int, size: int) -> bool:
        """Whether the range lies inside one allocation."""
        return any(
            start <= address and address + size <= start + length
            for start, (_, length) in self.blocks.items()
        )

    def check(self, address: int, size: int) -> None:
        """Raise unless the range lies inside one allocation."""
        require(self.holds(address, size), f"illegal address: {size} bytes at {address:#x}")

    def check_guards(self) -> None:
        """Raise when something was written past an end of an allocation."""
        for block, size in self.blocks.values():
            edges = np.concatenate([block[:GUARD], block[GUARD + size :]])
            require((edges == _PATTERN).all(), "memory beside an allocation was written")

    def open_stream(self) -> int:
        """The handle of a new stream."""
        handle = next(self._handles)
        self._captures[handle] = None
        return handle

    def close_stream(self, stream: int) -> None:
        """Forget a stream."""
        del self._captures[stream]

    def enqueue(self, stream: int, action: Action) -> None:
        """Do it now, or remember it where the stream is being captured."""
        self.work()
        captured = self._captures[stream]
        if captured is None:
            action()
        else:
            captured.append(action)

    def begin_capture(self, stream: int) -> None:
        """From now on what the stream is given is remembered."""
        self.work()
        self._captures[stream] = []

    def end_capture(self, stream: int) -> list[Action]:
        """What was remembered."""
        captured, self._captures[stream] = self._captures[stream], None
        if self.fail_capture:
            raise CudaError("CUDA_ERROR_STREAM_CAPTURE_INVALIDATED: a previous error")
        return captured or []

    def capturing(self, stream: int) -> bool:
        """Whether a stream is being captured."""
        return self._captures[stream] is not None

    def not_while_capturing(self, what: str) -> None:
        """Raise what CUDA answers to such a call while any stream is being captured."""
        if any(captured is not None for captured in self._captures.values()):
            raise CudaError(f"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED: {what}")

    def accept_code(self) -> None:
        """Raise where the test asked for code to be refused."""
        if self.refusals > 0:
            self.refusals -= 1
            raise CudaError("CUDA_ERROR_NO_BINARY_FOR_GPU: no kernel image is available")
