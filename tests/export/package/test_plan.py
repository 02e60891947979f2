"""engine.plan: built where a builder is, otherwise the command that builds it on the device."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cuda_on_cpu.plan_dir import write_plan
from tests.models import model_dir, specs
from wn_export.package import plan
from wn_runtime.engines import trust
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact, Manifest

Staged = tuple[Path, Manifest, Path]


@pytest.fixture
def staged(tmp_path: Path) -> Staged:
    """A directory in the making, its manifest, and the older one that it will replace."""
    old = model_dir.write_model(tmp_path / "voice", specs.PLAIN, ("fp32", "fp16"))
    new = model_dir.write_model(tmp_path / "part", specs.PLAIN, ("fp32", "fp16"))
    return new, manifests.read(new), old


@dataclasses.dataclass(frozen=True)
class Trt:
    __version__: str = "10.3.0"


@dataclasses.dataclass(frozen=True)
class Builder:
    flavour: str = "tensorrt"
    trt: Trt = Trt()
    gpu: str = "Orin"


@pytest.mark.parametrize(
    ("fp16", "compatible", "flags"),
    [(True, False, " --fp16"), (False, False, ""), (True, True, " --fp16 --version-compatible")],
)
def test_without_a_builder_the_command_for_the_device_is_named(
    staged: Staged, monkeypatch: pytest.MonkeyPatch, fp16: bool, compatible: bool, flags: str
) -> None:
    directory, manifest, target = staged

    def nothing_here() -> Builder:
        raise EngineUnavailable("TensorRT not found here (no module); pip install it")

    monkeypatch.setattr(plan, "find_builder", nothing_here)
    same, line = plan.try_plan(directory, manifest, target, fp16, compatible)
    assert same == manifest
    assert line == (
        f"engine   TensorRT not found here: run `wn-export {target}/{flags}` on the device to "
        "build engine.plan"
    )
    odd = target.with_name("a b; c")
    _, line = plan.try_plan(directory, manifest, odd, fp16, compatible)
    assert f"`wn-export '{odd}'/{flags}`" in str(line)


def test_with_a_builder_the_plan_is_of_the_precision_asked_for(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, manifest, target = staged
    monkeypatch.setenv("XDG_DATA_HOME", str(target.parent / "data"))
    (target / "engine.timing").write_bytes(b"measured before")
    seen: dict[str, Any] = {}

    def add_plan(
        path: Path,
        given: Manifest,
        graph: Artifact,
        builder: Builder,
        version_compatible: bool,
        old: Manifest | None,
    ) -> Manifest:
        seen.update(graph=graph.file, old=old, timing=(path / "engine.timing").read_bytes())
        seen.update(version_compatible=version_compatible)
        (path / "engine.plan").write_bytes(b"plan")
        artifact = Artifact("engine.plan", "tensorrt", "fp16", 1, built={"seconds": 71.2})
        return manifests.with_artifact(given, artifact, manifests.record(path / "engine.plan"))

    monkeypatch.setattr(plan, "find_builder", Builder)
    monkeypatch.setattr(plan, "add_plan", add_plan)
    made, line = plan.try_plan(directory, manifest, target, True, version_compatible=True)
    assert line == "engine   engine.plan  TensorRT 10.3.0 for Orin, built in 71 s"
    assert made.files["engine.plan"].sha256 in trust.trusted(), "what was built here runs here"
    assert manifests.record(directory / "engine.timing").sha256 in trust.trusted()
    assert str(target / "engine.plan") in trust.store().read_text()
    assert seen["graph"] == "step.fp16.onnx"
    assert seen["version_compatible"]
    assert seen["timing"] == b"measured before", "the older plan's measurements are used again"
    assert seen["old"].name == "voice", "and whose they are is told"
    assert "engine.plan" in made.files


def a_broken_manifest(target: Path) -> None:
    (target / "engine.timing").write_bytes(b"?")
    (target / "manifest.json").write_text("broken")


def a_link_out(target: Path) -> None:
    (target.parent / "secret").write_text("?")
    (target / "engine.timing").symlink_to(target.parent / "secret")


def a_pipe(target: Path) -> None:
    os.mkfifo(target / "engine.timing")


def an_endless_one(target: Path) -> None:
    with (target / "engine.timing").open("wb") as file:
        file.truncate(2**40)


@pytest.mark.parametrize("spoil", [a_broken_manifest, a_link_out, a_pipe, an_endless_one])
def test_a_timing_cache_of_unknown_origin_is_left_alone(
    staged: Staged, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    directory, manifest, target = staged
    spoil(target)

    def add_plan(
        path: Path,
        given: Manifest,
        graph: Artifact,
        builder: Builder,
        version_compatible: bool,
        old: Manifest | None,
    ) -> Manifest:
        assert old is None
        assert not (path / "engine.timing").exists()
        (path / "engine.plan").write_bytes(b"plan")
        artifact = Artifact("engine.plan", "tensorrt", "fp32", 1, built={"seconds": 1.0})
        return dataclasses.replace(given, artifacts=(*given.artifacts, artifact))

    monkeypatch.setattr(plan, "find_builder", Builder)
    monkeypatch.setattr(plan, "add_plan", add_plan)
    made, _ = plan.try_plan(directory, manifest, target, fp16=False)
    assert made.artifacts[-1].file == "engine.plan"


@pytest.mark.parametrize("compatible", [True, False])
def test_a_directory_says_whether_its_plan_runs_in_later_versions(
    tmp_path: Path, compatible: bool
) -> None:
    directory = write_plan(tmp_path / "voice", specs.PLAIN, version_compatible=compatible)
    assert plan.was_version_compatible(manifests.read(directory)) is compatible


def test_a_directory_without_a_plan_says_no(staged: Staged) -> None:
    assert not plan.was_version_compatible(staged[1])
