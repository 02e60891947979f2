"""What the native engine's tests share."""

from __future__ import annotations

import pytest

from wn_runtime.engines.native import zig


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a C compiler."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(zig, "command", tuple)
