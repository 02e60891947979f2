"""wn-export --fp16 builds the fused plan where it can, records and proves it, else the plain one.

TensorRT's builder needs a GPU: here it is the stand-in (tests/cuda_on_cpu/building.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu import tensorrt as trt
from tests.cuda_on_cpu.fused_dir import PLAN, builder, write_fused
from tests.cuda_on_cpu.gpu import Gpu
from tests.export.commands.invoke import run
from tests.export.engines import engines
from tests.export.references import reference_of
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, random_weights
from wn_export.commands.export import main
from wn_export.package import plan as plans
from wn_export.parity import reference
from wn_export.tensorrt.build import Builder
from wn_export.tensorrt.fused import add_fused_plan
from wn_runtime.engines import trust
from wn_runtime.engines.tensorrt import plan_record
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact, Manifest
from wn_runtime.model.package import ModelPackage

SPEC = dataclasses.replace(CORNERS["uneven"], sample_rate=400)


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """TensorRT 10.3.0 and its GPU; what is compiled or trusted goes with the test."""
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return trt.install(monkeypatch, cuda.install(monkeypatch, Gpu()))


@pytest.fixture
def here(tensorrt: Any, monkeypatch: pytest.MonkeyPatch) -> Builder:
    """The builder that an export finds."""
    found = builder(tensorrt)
    monkeypatch.setattr(plans, "find_builder", lambda: found)
    return found


def test_what_it_is_of_is_on_record(tmp_path: Path, tensorrt: Any) -> None:
    package = ModelPackage(write_fused(tmp_path / "voice", SPEC, tensorrt, 3))
    plan = package.artifact(PLAN)
    assert (plan.engine, plan.precision, plan.batch) == ("tensorrt", "fp16", 3)
    record = plan_record.check_files(package, plan)
    assert (record.gpu, record.compute_capability) == ("Test GPU", "8.7")
    assert record.layers == {"CONSTANT": 1, "PLUGIN_V3": 1}
    assert (record.onnx, record.working_bytes) == (manifests.WEIGHTS, 1000)
    assert record.onnx_sha256 == package.manifest.files[manifests.WEIGHTS].sha256
    assert record.fused is not None
    assert record.fused.schedule == "alone:4"


def test_a_failed_build_leaves_the_older_plan(
    tmp_path: Path, tensorrt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write_model(tmp_path / "voice", SPEC, ("fp16",), batch=3)
    (directory / PLAN).write_bytes(b"the older one")

    a_build_that_fails(tensorrt.gpu, monkeypatch)
    manifest, weights = manifests.read(directory), random_weights(SPEC)
    with pytest.raises(
        WavestepError,
        match=r"TensorRT 10.3.0 cannot build the fused engine.plan \(.*ILLEGAL_ADDRESS",
    ):
        add_fused_plan(directory, manifest, weights, 3, builder(tensorrt))
    assert (directory / PLAN).read_bytes() == b"the older one"


def exportable(directory: Path) -> Path:
    """A directory that wn-export takes, short of a plan."""
    write_model(directory, SPEC, ("fp32", "fp16"), batch=3)
    reference.save(directory / manifests.REFERENCE, reference_of(SPEC))
    manifest = manifests.read(directory)
    manifests.write(directory, manifests.with_file(manifest, directory / manifests.REFERENCE))
    return directory


def test_the_command_builds_it_trusts_it_and_proves_it(tmp_path: Path, here: Builder) -> None:
    directory = exportable(tmp_path / "voice")
    with engines("onnx", "tensorrt"):
        result = run(main, directory, "--fp16")
    assert result.exit_code == 0, result.output
    assert "engine.plan  TensorRT 10.3.0 for Test GPU, built in 0 s, the fused kernel" in (
        result.stdout
    )
    manifest = manifests.read(directory)
    (row,) = (row for row in manifest.parity if row.engine == "tensorrt")
    assert row.precision == "fp16"
    assert row.max_error is not None
    assert 0 < row.max_error < 1e-2
    assert manifest.files[PLAN].sha256 in trust.trusted()


@pytest.fixture
def of_the_graph(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The graphs that plans were built of, instead of building."""
    graphs: list[str] = []

    def add_plan(
        path: Path, given: Manifest, graph: Artifact, *_: object, **__: object
    ) -> Manifest:
        graphs.append(graph.file)
        (path / PLAN).write_bytes(b"plan")
        artifact = Artifact(PLAN, "tensorrt", "fp16", 1, built={"seconds": 2.0})
        return manifests.with_artifact(given, artifact, manifests.record(path / PLAN))

    monkeypatch.setattr(plans, "add_plan", add_plan)
    return graphs


@pytest.mark.parametrize(
    "asked", [{"plain": True}, {"version_compatible": True}, {"fp16": False}], ids=str
)
def test_the_plain_one_is_built_where_it_is_asked_for(
    tmp_path: Path, here: Builder, of_the_graph: list[str], asked: dict[str, bool]
) -> None:
    directory = exportable(tmp_path / "voice")
    manifest = manifests.read(directory)
    made, line = plans.try_plan(directory, manifest, directory, **{"fp16": True, **asked})
    assert str(line).endswith("built in 2 s")
    assert len(of_the_graph) == 1
    assert made.artifacts[-1].built == {"seconds": 2.0}


def an_old_gpu(gpu: Gpu, _: pytest.MonkeyPatch) -> str:
    gpu.arch = "70"
    return "the cuda engine needs compute capability 7.5 or newer, this GPU has 7.0"


def no_nvrtc(_: Gpu, monkeypatch: pytest.MonkeyPatch) -> str:
    def missing(*_: object, **__: object) -> None:
        raise RuntimeError("libnvrtc.so.12 was not found")

    monkeypatch.setattr(cuda.Program, "__init__", missing)
    return "NVRTC cannot compile the kernels for sm_87 (libnvrtc.so.12 was not found)"


def a_build_that_fails(_: Gpu, monkeypatch: pytest.MonkeyPatch) -> str:
    def fails(*_: object) -> None:
        raise RuntimeError("CUDA_ERROR_ILLEGAL_ADDRESS")

    monkeypatch.setattr("wn_runtime.engines.tensorrt.fused.kernel.NodeKernel.enqueue", fails)
    return "TensorRT 10.3.0 cannot build the fused engine.plan (Error Code 10:"


@pytest.mark.parametrize("lacking", [an_old_gpu, no_nvrtc, a_build_that_fails])
def test_the_plain_one_is_built_where_the_other_cannot_be_and_it_says_why(
    tmp_path: Path,
    tensorrt: Any,
    here: Builder,
    of_the_graph: list[str],
    monkeypatch: pytest.MonkeyPatch,
    lacking: Callable[[Gpu, pytest.MonkeyPatch], str],
) -> None:
    directory = exportable(tmp_path / "voice")
    said = lacking(tensorrt.gpu, monkeypatch)
    _, line = plans.try_plan(directory, manifests.read(directory), directory, fp16=True)
    assert f"built in 2 s, of the step graph: {said}" in str(line)
    assert of_the_graph == ["step.fp16.onnx"]


def test_tensorrt_rtx_takes_none(tmp_path: Path, tensorrt: Any) -> None:
    directory = write_model(tmp_path / "voice", SPEC, ("fp16",))
    rtx = dataclasses.replace(builder(tensorrt), flavour="tensorrt_rtx")
    with pytest.raises(EngineUnavailable, match="TensorRT-RTX takes no plugins"):
        add_fused_plan(directory, manifests.read(directory), random_weights(SPEC), 1, rtx)
