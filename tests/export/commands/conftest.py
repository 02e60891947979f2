"""One small voice, exported once for all tests of the commands."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.export.commands.invoke import run
from tests.export.engines import engines
from tests.models import specs
from wn_export.commands.export import main
from wn_runtime.model.spec import ModelSpec


@pytest.fixture(autouse=True)
def onnx_engine_only() -> Iterator[None]:
    """The native engine would only compile here."""
    with engines("onnx"):
        yield


@pytest.fixture(autouse=True)
def pages_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take longer than all the rest of an export; `exported` has a true one."""
    monkeypatch.setattr("wn_export.parity.page.page", lambda *given: "<html>")


@pytest.fixture(scope="session")
def spec() -> ModelSpec:
    """So slow a rate that two seconds are few samples."""
    return dataclasses.replace(specs.CORNERS["two_conditions"], sample_rate=400)


@pytest.fixture(scope="session")
def checkpoint(spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="torch is not installed")
    from tests.export.checkpoints import write_checkpoint

    return write_checkpoint(tmp_path_factory.mktemp("runs") / "voice.pt", spec)


@pytest.fixture(scope="session")
def exported_once(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("exported") / "voice"
    with engines("onnx"):
        made = run(main, checkpoint, "-o", directory, "--fp16")
    assert made.exit_code == 0, made.output
    return directory


@pytest.fixture
def exported(exported_once: Path, tmp_path: Path) -> Path:
    """A model directory with both precisions, for one test to spoil."""
    copy: Path = shutil.copytree(exported_once, tmp_path / "voice")
    return copy
