"""A GPU that is the CPU, with a cache and a list of trusted code of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu.gpu import Gpu
from wn_runtime.engines.cuda.choose import VARIABLE


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Gpu]:
    """At the end, nothing was written beside its memory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv(VARIABLE, raising=False)
    machine = cuda.install(monkeypatch, Gpu(memory=2**31))
    yield machine
    machine.check_guards()
