"""The step kernel's source: one CUDA file, with the head's draw in it."""

from __future__ import annotations

from pathlib import Path

from wn_runtime.errors import EngineUnavailable
from wn_runtime.heads.head import Head

SOURCE = Path(__file__).with_name("step_kernel.cu")
_HEAD = '#include "head.cuh"\n'


def kernel_source(head: Head) -> str:
    """CUDA C++ of the step kernel for a head. Raises EngineUnavailable if it has no CUDA code."""
    draw = head.source(".cuh")
    if draw is None:
        raise EngineUnavailable(f"the GPU engines have no code for the head {head.kind!r}")
    constants = {"PARAMS": head.params, "UNIFORMS": head.uniforms, **head.constants()}
    macros = "".join(f"#define {name} {value}\n" for name, value in constants.items())
    return SOURCE.read_text("utf-8").replace(_HEAD, macros + draw)
