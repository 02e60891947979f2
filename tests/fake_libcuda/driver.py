"""A libcuda.so.1 without a GPU (source/), for processes that run the real cuda-core on it.

Those are processes of their own: libcuda is loaded once, and no test after it would be without.
Kernels run as the stand-in's (tests/cuda_on_cpu), of the same source as the cubin that is loaded.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cuda_on_cpu import kernels
from wn_runtime.engines.device_loop.compiler import STANDARD

SOURCE = Path(__file__).with_name("source")
LIBRARY = "libcuda.so.1"
_SECONDS = 120.0


@dataclass(frozen=True)
class Machine:
    """What the driver finds, and the host's code of the cubins that it can run."""

    directory: Path
    """Of that code, and of the log of calls."""
    gpu: str = ""
    """As FAKE_CUDA_GPU in source/gpu.h has it: what is not an Orin's."""
    faults: str = ""
    """As FAKE_CUDA_FAULTS there."""

    @property
    def log(self) -> Path:
        """A line a call of the driver."""
        return self.directory / "calls.log"

    def calls(self, name: str) -> list[str]:
        """What was logged of one function: its result, and what came with it."""
        lines = self.log.read_text("utf-8").splitlines()
        return [line.partition(" ")[2] for line in lines if line.split(" ")[0] == name]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Python with these arguments, where the driver is this machine's."""
        self.log.unlink(missing_ok=True)
        environ = {
            **os.environ,
            "LD_LIBRARY_PATH": str(library()),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "FAKE_CUDA_GPU": self.gpu,
            "FAKE_CUDA_FAULTS": self.faults,
            "FAKE_CUDA_KERNELS": str(self.directory),
            "FAKE_CUDA_LOG": str(self.log),
        }
        return subprocess.run(
            [sys.executable, *arguments],
            env=environ,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def provide(self, source: str, arch: str, code: bytes, *names: str) -> None:
        """Have the driver run a cubin, `code`, which was compiled from `source`."""
        of_it = ctypes.CDLL(str(library() / LIBRARY)).fake_cuda_identity(code) & 0xFFFFFFFF
        file = self.directory / f"{of_it:08x}"
        shutil.copyfile(kernels.built(source, arch), file.with_suffix(".so"))
        kinds = {name: kernels.pointers(source, name) for name in names}
        lines = (f"{name} {''.join('np'[each] for each in of)}\n" for name, of in kinds.items())
        file.with_suffix(".args").write_text("".join(lines), "utf-8")


@functools.cache
def library() -> Path:
    """The directory that has libcuda.so.1; a skip without g++."""
    built = Path(_directory().name)
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-shared", "-fPIC", "-fvisibility=hidden"]
    source = [str(SOURCE / "libcuda.cpp"), "-ldl"]
    kernels.compile_cpp(*flags, *source, "-o", str(built / LIBRARY))
    return built


@functools.cache
def _directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()  # removed as the process ends


def compiled(core: Any, source: str, arch: str) -> bytes:
    """The cubin that `CudaDevice.kernels` has NVRTC make."""
    options = core.ProgramOptions(arch=f"sm_{arch}", std=STANDARD)
    code: bytes = core.Program(source, "c++", options).compile("cubin").code
    return code
