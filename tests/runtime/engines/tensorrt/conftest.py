"""TensorRT for the GPU that is the CPU."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cuda_on_cpu import tensorrt as trt
from tests.cuda_on_cpu.gpu import Gpu


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch, gpu: Gpu) -> Any:
    """TensorRT 10.3.0, with what tests/cuda_on_cpu/tensorrt.py adds to it."""
    return trt.install(monkeypatch, gpu)
