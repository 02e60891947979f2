"""NVRTC without a GPU: CUDA C++ to a cubin for one that is elsewhere, and what came of it."""

from __future__ import annotations

import importlib
import io
import re
from dataclasses import dataclass

from wn_runtime import extras
from wn_runtime.engines.device_loop.compiler import STANDARD, cuda_core
from wn_runtime.engines.device_loop.reasons import first_line
from wn_runtime.errors import EngineUnavailable

_ENTRY = re.compile(r"Compiling entry function '(\w+)'")
_REGISTERS, _SPILLS = re.compile(r"Used (\d+) registers"), re.compile(r"(\d+) bytes spill stores")
_BARRIERS = re.compile(r"used (\d+) barriers")


@dataclass(frozen=True)
class Usage:
    """Of a kernel: for each thread, and of a block."""

    registers: int
    spill_bytes: int
    barriers: int = 0
    """Named barriers; all 16 where the code computes which."""


@dataclass(frozen=True)
class Compiled:
    """A cubin."""

    code: bytes
    nvrtc: str
    """Version of the compiler: `12.6`."""
    usage: dict[str, Usage]
    """By kernel."""


def version() -> str:
    """Of NVRTC, `12.6`. Raises EngineUnavailable where there is none."""
    cuda_core()
    try:
        nvrtc = importlib.import_module("cuda.bindings.nvrtc")
        status, major, minor = nvrtc.nvrtcVersion()
    except Exception as error:  # those of finding and loading the library
        raise EngineUnavailable(
            f"NVRTC cannot be loaded ({first_line(error)}); {extras.install_nvrtc()}"
        ) from error
    if int(status) != 0:
        raise EngineUnavailable(f"NVRTC answers {status}; {extras.install_nvrtc()}")
    return f"{major}.{minor}"


def compile_ahead(source: str, compute_capability: str) -> Compiled:
    """Compile for GPUs of one compute capability, `8.7`; no GPU or driver is needed.

    Raises EngineUnavailable where NVRTC is missing or does not know that GPU.
    """
    found, cuda = version(), cuda_core()
    arch = "sm_" + compute_capability.replace(".", "")
    log = io.StringIO()
    try:
        options = cuda.ProgramOptions(arch=arch, std=STANDARD, ptxas_options="-v")
        code = cuda.Program(source, "c++", options).compile("cubin", logs=log).code
    except Exception as error:
        raise EngineUnavailable(
            f"NVRTC {found} cannot compile the kernels for {arch} ({first_line(error)})"
        ) from error
    return Compiled(code, found, usage(log.getvalue()))


def usage(log: str) -> dict[str, Usage]:
    """What ptxas says of each kernel."""
    found = {}
    parts = _ENTRY.split(log)[1:]
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        registers = _REGISTERS.search(text)
        if registers is not None:
            spills, barriers = _SPILLS.search(text), _BARRIERS.search(text)
            found[name] = Usage(
                int(registers[1]),
                int(spills[1]) if spills else 0,
                int(barriers[1]) if barriers else 0,
            )
    return found
