"""What tests of engines on GPUs share: a compiler that needs none."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from wn_runtime.engines.device_loop.compiler import STANDARD


@pytest.fixture(scope="session")
def nvrtc() -> Any:
    """cuda-core's module, where NVRTC is installed."""
    try:
        core: Any = importlib.import_module("cuda.core")
        options = core.ProgramOptions(arch="sm_80", std=STANDARD)
        core.Program('extern "C" __global__ void k() {}', "c++", options).compile("cubin")
    except Exception as error:  # ImportError, and cuda-core's own for a library that is not there
        pytest.skip(f"NVRTC is not installed: {str(error).splitlines()[0]}")
    return core
