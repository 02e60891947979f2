"""CUDA kernels as functions of the host: their own source, compiled by g++ with shim/shim.cpp."""

from __future__ import annotations

import ctypes
import functools
import re
import shutil
import subprocess
import tempfile
import threading
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cuda_on_cpu.gpu import require

MOST_ARGUMENTS = 24  # of shim_launch
SHIM = Path(__file__).with_name("shim")
PLAIN_SHARED = 48 * 1024
"""Bytes of shared memory a block may have that the kernel was not told of."""
_ONE_AT_A_TIME = threading.Lock()  # the shim has one set of fibres; ctypes lets go of the GIL
PORTABLE_CLUSTER = 8
"""Blocks of the largest cluster that every GPU with clusters can run."""


class Config(NamedTuple):
    """Of a launch."""

    grid: int
    """Clusters."""
    cluster: int
    """Blocks of each."""
    block: int
    """Threads of each."""
    shared: int
    """Bytes of each block."""
    cooperative: bool = False
    """All blocks run at once."""


@dataclass
class Limits:
    """What cuKernelSetAttribute can raise for a kernel; the kernel's handle."""

    shared: int = PLAIN_SHARED
    non_portable_cluster: bool = False


class Occupancy:
    """What a GPU says of a kernel's launches; `hosts`: blocks of the largest cluster it has."""

    hosts = 16
    blocks = 1
    """Of a multiprocessor."""

    def max_active_clusters(self, config: Config, *, stream: object) -> int:
        """Clusters of a launch that can be there at once."""
        require(stream is not None, "a stream")
        return 4 if config.cluster <= self.hosts else 0

    def max_active_blocks_per_multiprocessor(
        self, block_size: int, dynamic_shared_memory_size: int
    ) -> int:
        """Blocks of a multiprocessor that can be there at once."""
        require(block_size > 0 and dynamic_shared_memory_size >= 0, "a launch")
        return self.blocks


@dataclass(frozen=True)
class HostKernel:
    """One kernel."""

    name: str
    pointers: tuple[bool, ...]
    """For each argument, whether it is an address; the others are numbers of 8 bytes."""
    _library: ctypes.CDLL
    _function: int
    handle: Limits = field(default_factory=Limits)
    occupancy: Occupancy = field(default_factory=Occupancy)

    def run(self, config: Config, arguments: tuple[int, ...], seed: int) -> None:
        """The seed decides the order of threads. Raises Misuse with what went wrong."""
        shared, cluster = config.shared, config.cluster
        require(shared <= self.handle.shared, f"{shared} bytes of shared memory, not asked for")
        portable = cluster <= PORTABLE_CLUSTER or self.handle.non_portable_cluster
        require(portable, f"a cluster of {cluster} blocks, not asked for")
        words = (ctypes.c_uint64 * MOST_ARGUMENTS)(*arguments)
        with _ONE_AT_A_TIME:
            failure = self._library.shim_launch(
                ctypes.c_void_p(self._function), *config, words, seed
            )
        require(failure is None, f"{self.name}: {(failure or b'').decode()}")


def kernel(source: str, name: str, arch: str) -> HostKernel:
    """A kernel of a source for sm_`arch`; its arguments are read from there."""
    library = _compiled(source, arch)
    function = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    assert function is not None
    return HostKernel(name, pointers(source, name), library, function)


def pointers(source: str, name: str) -> tuple[bool, ...]:
    """For each argument of a kernel, whether it is an address."""
    suffixed = name.rpartition("_")[0] + "_##SUFFIX"  # a macro's, of the step kernel
    text = re.sub(r"//[^\n]*", "", source)
    for each in (name, suffixed):
        found = re.search(
            rf"__global__\s+void\s+(?:__\w+\([^)]*\)\s+)*{re.escape(each)}\(([^)]*)\)", text
        )
        if found:
            arguments = [argument for argument in found.group(1).split(",") if argument.strip()]
            found_pointers = tuple("*" in argument for argument in arguments)
            for argument, pointer in zip(arguments, found_pointers, strict=True):
                wide = pointer or re.search(r"\b(long long|u64)\b", argument)
                assert wide, f"{name} takes{argument}, which is not 8 bytes wide"
            assert len(arguments) <= MOST_ARGUMENTS, f"{name} takes {len(arguments)} arguments"
            return found_pointers
    raise AssertionError(f"{name} is not in the source")


@functools.cache
def _compiled(source: str, arch: str) -> ctypes.CDLL:
    library = ctypes.CDLL(str(built(source, arch)))
    library.shim_launch.restype = ctypes.c_char_p
    return library


@functools.cache
def built(source: str, arch: str) -> Path:
    """The library of a source's kernels: shim_launch, and each by its name. A skip without g++."""
    directory = Path(_directory().name) / f"{zlib.crc32(source.encode()):08x}-{arch}"
    directory.mkdir()
    (directory / "kernel.cu").write_text(source, "utf-8")
    library = directory / "kernel.so"
    flags = ["-O2", "-std=c++17", "-Wall", "-Wno-unknown-pragmas", "-ffp-contract=off"]
    jumps = ["-U_FORTIFY_SOURCE", "-fno-stack-protector"]  # between stacks
    defined = [f'-DSHIM_SOURCE="{directory}/kernel.cu"', f"-DARCH={arch}"]
    shared = ["-shared", "-fPIC", str(SHIM / "shim.cpp"), "-o", str(library)]
    compile_cpp(*flags, *jumps, *defined, *shared)
    return library


def compile_cpp(*arguments: str) -> None:
    """Run g++; a skip where it is not installed."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    done = subprocess.run(["g++", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@functools.cache
def _directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()  # removed as the process ends
