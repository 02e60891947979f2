"""How engines are prepared at export: a line in a table each, and what parity needs comes first."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.export.engines import engines
from tests.export.references import reference_of
from tests.models import model_dir, specs
from wn_export.package.export import Options, rebuild
from wn_export.package.preparation import AFTER_PARITY, BEFORE_PARITY, Preparation
from wn_export.parity import reference
from wn_runtime.engines.registry import ENGINES
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact, Manifest
from wn_targets.constraints import GpuCode, constraints, this_cpu
from wn_targets.devices.catalogue import find


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A model directory that can be rebuilt."""
    path = model_dir.write_model(tmp_path / "voice", specs.PLAIN)
    reference.save(path / manifests.REFERENCE, reference_of(specs.PLAIN))
    manifests.write(path, manifests.with_file(manifests.read(path), path / manifests.REFERENCE))
    return path


def prepared(directory: Path, device: str | None = None) -> Preparation:
    chosen = None if device is None else constraints(find(device), "voice")
    return Preparation(directory, directory, False, False, chosen)


def test_every_engine_that_is_prepared_can_be_opened() -> None:
    assert {*BEFORE_PARITY, *AFTER_PARITY} <= ENGINES.keys()


def test_a_line_is_all_that_an_engine_needs_to_be_prepared(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, bool, bool]] = []

    def prepare(given: Preparation, manifest: Manifest) -> tuple[Manifest, str]:
        """A file of its own, as an engine's code would be."""
        seen.append(("before", bool(manifest.parity), given.fp16))
        (given.directory / "toy.bin").write_bytes(b"toy")
        artifact = Artifact("toy.bin", "toy", "fp32", 1)
        record = manifests.record(given.directory / "toy.bin")
        return manifests.with_artifact(manifest, artifact, record), "toy      made"

    def depends(given: Preparation, manifest: Manifest) -> tuple[Manifest, None]:
        seen.append(
            ("after", bool(manifest.parity), manifest.default_precision == {"onnx": "fp32"})
        )
        return dataclasses.replace(manifest, source={"seen": "after"}), None

    monkeypatch.delitem(BEFORE_PARITY, "tensorrt")
    monkeypatch.setitem(BEFORE_PARITY, "toy", prepare)
    monkeypatch.setitem(AFTER_PARITY, "toy", depends)
    said: list[str] = []
    with engines("onnx"):
        assert rebuild(directory, None, Options(fp16=True), said.append)
    assert seen == [("before", False, True), ("after", True, True)]
    assert "toy      made" in said
    manifest = manifests.read(directory)
    manifests.verify(directory, manifest)
    assert manifest.artifacts[-1].file == "toy.bin"
    assert manifest.source == {"seen": "after"}


def test_cubins_are_for_a_named_device_whose_gpu_runs_them_only(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def add_cubins(
        path: Path, manifest: Manifest, code: GpuCode, target: Path, loop: bool
    ) -> tuple[Manifest, str]:
        assert loop, "plans run there too"
        asked.append(f"{code.target} {code.gpu.sm}")
        return manifest, "compiled"

    monkeypatch.setattr("wn_export.package.cubins.add_cubins", add_cubins)
    manifest, prepare = manifests.read(directory), AFTER_PARITY["cuda"]
    for device in (None, "v100", "xavier-nx", "cortex-a76"):
        assert prepare(prepared(directory, device), manifest) == (manifest, None)
    assert not asked
    for device in ("h100", "orin-nano-8gb"):
        assert prepare(prepared(directory, device), manifest)[1] == "compiled"
    assert asked == ["h100 90", "orin-nano-8gb 87"]


def test_the_native_library_is_for_a_named_device_with_a_known_cpu_only(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def add_library(
        path: Path, manifest: Manifest, march: str, target: Path, system: str, every: bool
    ) -> tuple[Manifest, str]:
        asked.append(f"{march} on {system}{', every precision' * every}")
        return manifest, "compiled"

    monkeypatch.setattr("wn_export.package.libraries.add_library", add_library)
    manifest, prepare = manifests.read(directory), AFTER_PARITY["native"]
    assert prepare(prepared(directory), manifest) == (manifest, None)
    assert prepare(prepared(directory, "h100"), manifest) == (manifest, None)
    assert not asked, "a graphics card sits in any host"
    assert prepare(prepared(directory, "orin-nano-8gb"), manifest)[1] == "compiled"
    here = Preparation(directory, directory, False, False, this_cpu("voice"))
    assert prepare(here, manifest)[1] == "compiled"
    bundled = dataclasses.replace(here, every_precision=True)
    assert prepare(bundled, manifest)[1] == "compiled"
    native = "native on linux"
    assert asked == ["armv8.2-a+dotprod on linux", native, f"{native}, every precision"]


def test_a_plan_is_spoken_of_only_where_one_can_exist(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def try_plan(_path: Path, manifest: Manifest, *_more: object) -> tuple[Manifest, str]:
        return manifest, "run it on the device to build engine.plan"

    monkeypatch.setattr("wn_export.package.plan.try_plan", try_plan)
    manifest, prepare = manifests.read(directory), BEFORE_PARITY["tensorrt"]
    for device in ("nano", "xavier-nx", "cortex-a76"):
        assert prepare(prepared(directory, device), manifest) == (manifest, None)
    for other in (None, "orin-nano-8gb", "v100"):
        assert prepare(prepared(directory, other), manifest)[1] is not None
