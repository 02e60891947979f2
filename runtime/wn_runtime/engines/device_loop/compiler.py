"""CUDA C++ to code for one GPU: compiled by NVRTC once, and kept with what it was made by."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TypeVar, cast

from wn_runtime import extras
from wn_runtime.engines.cache import entries as cache
from wn_runtime.engines.device_loop.api import CudaCore
from wn_runtime.engines.device_loop.reasons import first_line
from wn_runtime.errors import EngineUnavailable
from wn_runtime.interrupts import Held

STANDARD = "c++17"
_NVRTC_PACKAGES = ("nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu12")
T = TypeVar("T")


def cuda_core() -> CudaCore:
    """The module `cuda.core`. Raises EngineUnavailable where it cannot be imported."""
    try:
        with Held():
            return cast(CudaCore, importlib.import_module("cuda.core"))
    except ImportError as error:
        raise EngineUnavailable(
            f"cuda-core cannot be imported ({first_line(error)}); {extras.install_nvrtc()}"
        ) from error


def source_digest(source: str) -> str:
    """SHA-256 of a source's text: what code compiled ahead of it is known by."""
    return hashlib.sha256(source.encode()).hexdigest()


def compiled(cuda: CudaCore, source: str, compute_capability: str, read: Callable[[Path], T]) -> T:
    """What `read` makes of the cubin of a source for GPUs of one compute capability, `8.7`.

    Raises EngineUnavailable where NVRTC is missing or refuses, and whatever `read` raises.
    """
    arch = "sm_" + compute_capability.replace(".", "")

    def make(path: Path) -> None:
        try:
            options = cuda.ProgramOptions(arch=arch, std=STANDARD)
            made = cuda.Program(source, "c++", options).compile("cubin")
        except Exception as error:
            raise EngineUnavailable(
                f"NVRTC cannot compile the kernels for {arch} ({first_line(error)}); "
                f"{extras.install_nvrtc()}"
            ) from error
        path.write_bytes(made.code)

    entry = cache.Entry("cubin", "kernels.cubin", (arch, STANDARD, *_cuda_versions(), source))
    return cache.load(entry, make, read)


def _cuda_versions() -> list[str]:
    """Of the driver and of NVRTC: a cubin of one pair is not another's business."""
    driver = importlib.import_module("cuda.bindings.driver")
    status, version = driver.cuDriverGetVersion()
    found = [f"driver {version if int(status) == 0 else 'unknown'}"]
    for package in ("cuda-core", *_NVRTC_PACKAGES):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append(f"{package} {metadata.version(package)}")
    if len(found) < 3:  # NVRTC is the system's, as with JetPack
        with contextlib.suppress(Exception):
            nvrtc = importlib.import_module("cuda.bindings.nvrtc")
            found.append(f"nvrtc {nvrtc.nvrtcVersion()[1:]}")
    return found
