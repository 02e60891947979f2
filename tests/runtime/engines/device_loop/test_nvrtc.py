"""NVRTC compiles for a GPU that is elsewhere, and what ptxas says of it is read."""

from __future__ import annotations

import sys

import pytest

from wn_runtime.engines.device_loop.nvrtc import Usage, compile_ahead, usage, version
from wn_runtime.errors import EngineUnavailable

SOURCE = 'extern "C" __global__ void wn_test(int *a) { a[threadIdx.x] += 1; }'
LOG = """default_program(108): warning #177-D: function "exp2_fast" was never referenced
ptxas info    : 0 bytes gmem, 252 bytes cmem[3]
ptxas info    : Compiling entry function 'wn_generate' for 'sm_75'
ptxas info    : Function properties for wn_generate
ptxas         .     24 bytes stack frame, 20 bytes spill stores, 16 bytes spill loads
ptxas info    : Used 96 registers, used 16 barriers, 464 bytes cmem[0], 8 bytes cmem[2]
ptxas info    : Compiling entry function 'wn_restore' for 'sm_75'
ptxas info    : Used 36 registers, used 0 barriers, 400 bytes cmem[0]
"""


def test_registers_and_spills_are_those_of_each_kernel() -> None:
    assert usage(LOG) == {"wn_generate": Usage(96, 20, 16), "wn_restore": Usage(36, 0, 0)}
    assert usage("") == {}


@pytest.mark.parametrize("capability", ["7.5", "8.7", "9.0"])
def test_code_for_another_gpu_is_made_without_any(capability: str) -> None:
    pytest.importorskip("cuda.bindings.nvrtc")
    compiled = compile_ahead(SOURCE, capability)
    assert compiled.code[:4] == b"\x7fELF"
    assert compiled.nvrtc == version()
    assert compiled.usage["wn_test"].registers >= 4
    assert compiled.usage["wn_test"].spill_bytes == 0


def test_what_cannot_be_compiled_is_one_line() -> None:
    pytest.importorskip("cuda.bindings.nvrtc")
    for source, capability in (("int broken(", "8.7"), (SOURCE, "1.0")):
        with pytest.raises(EngineUnavailable, match="cannot compile the kernels for sm_") as told:
            compile_ahead(source, capability)
        assert "\n" not in str(told.value)


def test_without_nvrtc_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cuda.core")
    monkeypatch.setitem(sys.modules, "cuda.bindings.nvrtc", None)
    with pytest.raises(EngineUnavailable, match=r"NVRTC cannot be loaded .*pip install .*nvrtc"):
        version()
