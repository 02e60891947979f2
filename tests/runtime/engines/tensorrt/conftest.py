"""A GPU that is the CPU, with TensorRT for it and a cache of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu import tensorrt as trt
from tests.cuda_on_cpu.gpu import Gpu


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Gpu]:
    """At the end, nothing was written beside its memory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    machine = cuda.install(monkeypatch, Gpu())
    yield machine
    machine.check_guards()


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch, gpu: Gpu) -> Any:
    """TensorRT 10.3.0, with what tests/cuda_on_cpu/tensorrt.py adds to it."""
    return trt.install(monkeypatch, gpu)
