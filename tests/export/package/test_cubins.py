"""`wn-export --target` leaves cubins for the device's GPU, made by NVRTC without one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.models.model_dir import with_default, write_model
from tests.models.specs import PLAIN
from wn_export.package.cubins import NAME, add_cubins
from wn_export.package.cubins import with_default as defaulted
from wn_export.package.libraries import keep_libraries
from wn_runtime import installation
from wn_runtime.engines import trust
from wn_runtime.engines.code import code_artifacts
from wn_runtime.engines.cuda import cubin as cubins
from wn_runtime.engines.cuda.choose import Kind
from wn_runtime.engines.cuda.cubin import CubinRecord
from wn_runtime.engines.cuda.source import source
from wn_runtime.engines.device_loop import nvrtc, step_cubin
from wn_runtime.engines.device_loop.compiler import source_digest
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model import manifest as manifests
from wn_runtime.model import strict
from wn_runtime.model.executable import executable
from wn_runtime.model.manifest import Artifact, FileRecord, Manifest, ParityRow
from wn_targets.constraints import GpuCode, gpu_code
from wn_targets.devices.catalogue import find
from wn_targets.precision import cuda_precision


def version() -> str | None:
    try:
        return nvrtc.version()
    except EngineUnavailable:
        return None


needs_nvrtc = pytest.mark.skipif(version() is None, reason="cuda-core and NVRTC are not installed")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return with_default(write_model(tmp_path / "voice", PLAIN), "cuda", "int8")


def code_for(name: str) -> GpuCode:
    code = gpu_code(find(name))
    assert code is not None
    return code


def made(manifest: Manifest) -> list[Artifact]:
    return [artifact for artifact in manifest.artifacts if artifact.engine == "cuda"]


@needs_nvrtc
@pytest.mark.parametrize("name", ["orin-nano-8gb", "thor-t5000", "t4", "h200"])
def test_a_devices_cubins_are_made_here_with_all_that_is_known_of_them(
    directory: Path, name: str
) -> None:
    code = code_for(name)
    manifest, line = add_cubins(directory, manifests.read(directory), code, directory)
    artifacts = made(manifest)
    assert artifacts, line
    sm = code.gpu.sm
    for artifact in artifacts:
        record = strict.parse(CubinRecord, artifact.built, "built")
        assert NAME.fullmatch(artifact.file)
        assert f".sm_{sm}.int8." in artifact.file
        text = (directory / artifact.file).read_bytes()
        assert text[:4] == b"\x7fELF"
        assert executable(directory / artifact.file) == "NVIDIA GPU code"
        assert record.compute_capability == code.gpu.compute_capability
        assert record.nvrtc == version()
        schedule = Kind.of(record.schedule).schedule(PLAIN, "int8", code.gpu)
        assert record.source_sha256 == source_digest(source(schedule))
        assert record.shared_bytes == schedule.shared_bytes <= code.gpu.shared_bytes
        assert 16 <= record.registers <= 255
        assert record.registers * record.threads <= 65536
        assert record.predicted.keys() == {"1", "8", "64"}
        assert artifact.batch == schedule.streams
        assert manifest.files[artifact.file].sha256 in trust.trusted()
    manifests.verify(directory, manifest, *(artifact.file for artifact in artifacts))
    assert line.startswith(f"cuda     {artifacts[0].file}")
    assert "registers" in line
    assert "\n" not in line


@needs_nvrtc
def test_where_plans_run_the_step_kernel_goes_with_them(directory: Path, tmp_path: Path) -> None:
    code, before = code_for("orin-nano-8gb"), manifests.read(directory)
    manifest, line = add_cubins(directory, before, code, directory, loop=True)
    (step,) = [a for a in manifest.artifacts if a.engine == step_cubin.ENGINE]
    assert step.file == "step_kernel.sm_87.cubin"
    assert step.file in line
    assert executable(directory / step.file) == "NVIDIA GPU code"
    assert step in code_artifacts(manifest)
    new = tmp_path / "new"
    new.mkdir()
    kept = keep_libraries(directory, manifest, new, dataclasses.replace(manifest, artifacts=()))
    assert step in kept.artifacts


@needs_nvrtc
def test_what_it_was_compiled_from_is_what_the_engine_would_run(directory: Path) -> None:
    code = code_for("orin-nano-8gb")
    manifest, _ = add_cubins(directory, manifests.read(directory), code, directory)
    manifests.write(directory, manifest)
    from wn_runtime.model.package import ModelPackage

    here = cubins.ThisGpu("Orin", code.gpu, (13, 2))
    package = ModelPackage(directory)
    for batch in (1, 8, 64):
        found, _ = cubins.fitting(package, "int8", batch, here)
        assert found is not None
    older = dataclasses.replace(here, cuda=(11, 4))
    found, reason = cubins.fitting(package, "int8", 1, older)
    assert found is None
    assert "this driver is of CUDA 11.4; update the driver (or JetPack)" in str(reason)


def test_where_the_devices_driver_is_older_than_the_compiler_that_is_said(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = manifests.read(directory)
    orin = code_for("orin-nano-8gb")
    monkeypatch.setattr(nvrtc, "version", lambda: "13.5")
    ended = dataclasses.replace(orin, jetpacks={"6.0": 12, "6.2": 12})
    after, line = add_cubins(directory, before, ended, directory)
    assert after == before
    assert line == (
        "cuda     not compiled ahead for orin-nano-8gb: NVRTC 13.5 makes code of CUDA 13, and "
        "orin-nano-8gb ends at JetPack 6.2 (CUDA 12); in place of the newer, "
        + installation.install("gpu-cuda12", without="onnxruntime-gpu")
    )
    assert not list(directory.glob("*.cubin"))


@needs_nvrtc
@pytest.mark.parametrize(
    ("major", "words"),
    [
        ("12.6", "; for JetPack 6.0 and newer"),
        ("13.5", "; for JetPack 7.2 and newer, not for 6.0 and 6.2, which take NVRTC 12"),
    ],
)
def test_which_jetpacks_load_it_is_said(
    directory: Path, monkeypatch: pytest.MonkeyPatch, major: str, words: str
) -> None:
    monkeypatch.setattr(nvrtc, "version", lambda: major)
    code = code_for("orin-nano-8gb")
    _, line = add_cubins(directory, manifests.read(directory), code, directory)
    assert words in line


def test_without_nvrtc_the_export_is_complete_and_says_so(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> str:
        raise EngineUnavailable("NVRTC cannot be loaded (libnvrtc); pip install 'wavestep[gpu]'")

    monkeypatch.setattr(nvrtc, "version", missing)
    before = manifests.read(directory)
    after, line = add_cubins(directory, before, code_for("t4"), directory)
    assert after == before
    assert line == (
        "cuda     not compiled ahead for t4: NVRTC cannot be loaded (libnvrtc); pip install "
        "'wavestep[gpu]'"
    )


def test_an_architecture_that_nvrtc_does_not_know_is_told(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if version() is None:
        pytest.skip("cuda-core and NVRTC are not installed")
    code = code_for("t4")
    unknown = dataclasses.replace(code, gpu=dataclasses.replace(code.gpu, compute_capability="7.9"))
    before = manifests.read(directory)
    after, line = add_cubins(directory, before, unknown, directory)
    assert after == before
    assert "cannot compile the kernels for sm_79" in line
    assert not list(directory.glob("*.cubin"))


def row(engine: str, precision: str, passed: bool = True) -> ParityRow:
    return ParityRow(engine, precision, 0.0, 0.0, 0.0, 1, None, None, passed)


def test_the_precision_is_one_whose_weights_some_parity_has_proven(directory: Path) -> None:
    manifest = dataclasses.replace(manifests.read(directory), default_precision={})
    for rows, expected in (
        ((), "fp32"),
        ((row("native", "int8"),), "int8"),
        ((row("native", "int8", passed=False), row("onnx", "fp16")), "fp16"),
        ((row("native", "bf16"), row("onnx", "fp32")), "fp32"),
    ):
        assert cuda_precision(dataclasses.replace(manifest, parity=rows)) == expected
    proven = dataclasses.replace(manifest, default_precision={"cuda": "fp16"})
    assert cuda_precision(proven) == "fp16"


def test_a_rebuild_keeps_the_cubins_and_their_precision(directory: Path, tmp_path: Path) -> None:
    old = manifests.read(directory)
    kept, other = "cuda.sm_87.int8.alone-4.cubin", "step.cubin"
    for name in (kept, other):
        (directory / name).write_bytes(b"code")
        record = manifests.record(directory / name)
        old = manifests.with_artifact(old, Artifact(name, "cuda", "int8", 4), record)
    new = tmp_path / "new"
    new.mkdir()
    proven = (row("native", "int8"),)
    bare = dataclasses.replace(old, artifacts=(), default_precision={}, parity=proven)
    manifest = keep_libraries(directory, old, new, bare)
    assert [artifact.file for artifact in manifest.artifacts] == [kept]
    assert (new / kept).read_bytes() == b"code"
    assert defaulted(manifest).default_precision == {"cuda": "int8"}
    assert defaulted(bare) == bare
    assert isinstance(manifest.files[kept], FileRecord)
