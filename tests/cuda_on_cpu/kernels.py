"""CUDA kernels as functions of the host: their own source, compiled by g++ with shim.cpp."""

from __future__ import annotations

import ctypes
import functools
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cuda_on_cpu.gpu import require

MOST_ARGUMENTS = 10  # of shim_launch


@dataclass(frozen=True)
class HostKernel:
    """One kernel."""

    name: str
    arguments: int
    _library: ctypes.CDLL
    _function: int

    def run(self, config: tuple[int, int, int], arguments: tuple[int, ...], seed: int) -> None:
        """Grid, block and shared bytes; the seed decides the order of threads."""
        addresses = (ctypes.c_void_p * MOST_ARGUMENTS)(*arguments)
        function = ctypes.c_void_p(self._function)
        failed = self._library.shim_launch(function, *config, addresses, seed)
        require(not failed, ("", "barrier not reached by all", "shared memory")[failed])


@functools.cache
def kernel(source: str, name: str) -> HostKernel:
    """A kernel of a source; its number of arguments is read from there."""
    library = _compiled(source)
    plain = name.rpartition("_")[0]  # the source has it as a macro of its suffix
    found = re.search(rf"__global__ void {plain}_##SUFFIX\(([^)]*)\)", source)
    assert found, f"{name} is not in the source"
    function = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    assert function is not None
    return HostKernel(name, found.group(1).count(",") + 1, library, function)


@functools.cache
def _compiled(source: str) -> ctypes.CDLL:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "kernel.cu").write_text(source, "utf-8")
        shim = shutil.copy(Path(__file__).with_name("shim.cpp"), directory)
        built = directory / "kernel.so"
        flags = ["-O1", "-std=c++17", "-Wall", "-Wno-cpp", "-ffp-contract=off", "-shared", "-fPIC"]
        kernel = f'-DKERNEL="{directory}/kernel.cu"'
        command = ["g++", *flags, kernel, str(shim), "-o", str(built)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return ctypes.CDLL(str(built))
