"""The NVRTC of CUDA 12, beside an installed one of CUDA 13, which cuda-bindings would load.

JetPack 6's drivers load no other's code. Of its package (nvidia-cuda-nvrtc-cu12) the library is
enough, called as its header has it.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
from pathlib import Path

from wn_runtime.engines.device_loop.compiler import STANDARD
from wn_runtime.engines.device_loop.nvrtc import Compiled, usage
from wn_runtime.errors import EngineUnavailable

PACKAGE, LIBRARY = "nvidia-cuda-nvrtc-cu12", "libnvrtc.so.12"


class Nvrtc:
    """One library."""

    def __init__(self, library: Path) -> None:
        self._nvrtc = ctypes.CDLL(str(library))
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._check(self._nvrtc.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)), "version")
        self.version = f"{major.value}.{minor.value}"
        """`12.6`."""

    @classmethod
    def installed(cls) -> Nvrtc | None:
        """None where its package is not."""
        try:
            files = importlib.metadata.files(PACKAGE) or []
        except importlib.metadata.PackageNotFoundError:
            return None
        paths = [Path(str(file.locate())) for file in files if file.name == LIBRARY]
        return cls(paths[0]) if paths and paths[0].exists() else None

    def compile_ahead(self, source: str, compute_capability: str) -> Compiled:
        """As `device_loop.nvrtc`'s. Raises EngineUnavailable where it does not know the GPU."""
        arch = "sm_" + compute_capability.replace(".", "")
        options = [f"--gpu-architecture={arch}", f"--std={STANDARD}", "--ptxas-options=-v"]
        texts = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        program = ctypes.c_void_p()
        self._check(
            self._nvrtc.nvrtcCreateProgram(
                ctypes.byref(program), source.encode(), b"wavenet.cu", 0, None, None
            ),
            "create",
        )
        try:
            status = self._nvrtc.nvrtcCompileProgram(program, len(options), texts)
            log = self._text(program, "ProgramLog").decode(errors="replace").rstrip("\0")
            if status:
                lines = [line for line in log.splitlines() if line.strip()] or [f"error {status}"]
                raise EngineUnavailable(
                    f"NVRTC {self.version} cannot compile the kernels for {arch} ({lines[0]})"
                )
            return Compiled(self._text(program, "CUBIN"), self.version, usage(log))
        finally:
            self._nvrtc.nvrtcDestroyProgram(ctypes.byref(program))

    def _text(self, program: ctypes.c_void_p, what: str) -> bytes:
        size = ctypes.c_size_t()
        get_size = getattr(self._nvrtc, f"nvrtcGet{what}Size")
        self._check(get_size(program, ctypes.byref(size)), what)
        buffer = ctypes.create_string_buffer(size.value)
        self._check(getattr(self._nvrtc, f"nvrtcGet{what}")(program, buffer), what)
        return buffer.raw

    def _check(self, status: int, what: str) -> None:
        if status:
            raise EngineUnavailable(f"NVRTC of CUDA 12 answers {status} to {what}")
