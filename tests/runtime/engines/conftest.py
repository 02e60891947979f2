"""A GPU that is the CPU, with a cache of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu.gpu import Gpu


@pytest.fixture
def arch() -> str:
    """The GPU's: an Orin's."""
    return "87"


@pytest.fixture
def gpu(arch: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Gpu]:
    """At the end, nothing was written beside its memory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    machine = cuda.install(monkeypatch, Gpu(arch=arch))
    yield machine
    machine.check_guards()
