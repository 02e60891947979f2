"""A plan runs without NVRTC where its step kernel was compiled ahead, and fits, and is trusted."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cuda_on_cpu.device import Program
from tests.cuda_on_cpu.gpu import Gpu
from tests.cuda_on_cpu.plan_dir import PLAN, write_plan
from tests.models.specs import PLAIN, random_uniforms
from wn_runtime.engines import trust
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.device_loop.step_cubin import precompile
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests


def add(directory: Path, trusted: bool = True, **built: Any) -> Path:
    """The directory with a step kernel whose record says `built` otherwise."""
    artifact, code = precompile(PLAIN, "8.7")
    artifact = dataclasses.replace(artifact, built={**artifact.built, **built})
    path = directory / artifact.file
    path.write_bytes(code)
    record = manifests.record(path)
    if trusted:
        trust.add({record.sha256: path.name})
    manifest = manifests.with_artifact(manifests.read(directory), artifact, record)
    manifests.write(directory, manifest)
    return path


@pytest.fixture
def directory(tmp_path: Path, tensorrt: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    directory = write_plan(tmp_path / "model", PLAIN)
    trust.add({manifests.read(directory).files[PLAN].sha256: PLAN})
    return directory


def without_nvrtc(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise RuntimeError("libnvrtc.so.12 was not found")

    monkeypatch.setattr(Program, "__init__", missing)


def test_it_takes_the_place_of_nvrtc(
    directory: Path, gpu: Gpu, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = open_engine(directory, "tensorrt").generate(None, random_uniforms(12, 1))
    add(directory)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    without_nvrtc(monkeypatch)
    engine = open_engine(directory, "tensorrt")
    np.testing.assert_array_equal(engine.generate(None, random_uniforms(12, 1)), expected)
    engine.close()


@pytest.mark.parametrize(
    "built",
    [{"compute_capability": "8.6"}, {"source_sha256": "0" * 64}, {"nvrtc": "13.0"}, None],
)
def test_one_that_does_not_fit_or_that_nobody_trusts_is_not_taken(
    directory: Path, monkeypatch: pytest.MonkeyPatch, built: dict[str, Any] | None
) -> None:
    if built is None:
        add(directory, trusted=False)
    else:
        add(directory, **built)
    open_engine(directory, "tensorrt").close()  # compiled here in its place
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "empty"))
    without_nvrtc(monkeypatch)
    with pytest.raises(EngineUnavailable, match="NVRTC cannot compile"):
        open_engine(directory, "tensorrt")


def test_a_changed_file_and_a_broken_record_are_errors(directory: Path) -> None:
    path = add(directory)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(WavestepError, match="truncated or changed"):
        open_engine(directory, "tensorrt")
    add(directory, nvrtc="new")
    with pytest.raises(WavestepError, match=r"step_kernel.sm_87.cubin.*nvrtc is 'new', not a"):
        open_engine(directory, "tensorrt")
