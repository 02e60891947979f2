"""engine.plan goes on record with what it was built of and for; failed builds change nothing."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from tests.models.model_dir import write_model
from tests.models.specs import small_spec
from wn_export.tensorrt.build import PLAN, TIMING_CACHE, Builder, add_plan, choose_graph
from wn_runtime.engines import trust
from wn_runtime.engines.tensorrt import plan_record
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest
from wn_runtime.model.package import ModelPackage

SMALL = small_spec((1, 8))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Of a directory with both step graphs, at tmp_path."""
    return manifests.read(write_model(tmp_path, SMALL, ("fp32", "fp16")))


def test_a_plan_is_put_on_record(tmp_path: Path, manifest: Manifest, rtx: Builder) -> None:
    manifest = add_plan(tmp_path, manifest, choose_graph(manifest, fp16=True), rtx)
    manifests.write(tmp_path, manifest)
    package = ModelPackage(tmp_path)
    plan = package.artifact(PLAN)
    assert (plan.engine, plan.precision, plan.batch) == ("tensorrt", "fp16", 1)
    record = plan_record.check_files(package, plan)
    assert record.flavour == "tensorrt_rtx"
    assert record.version == rtx.trt.__version__
    assert (record.gpu, record.compute_capability, record.working_bytes) == (None, None, None)
    assert record.onnx == "step.fp16.onnx"
    assert record.onnx_sha256 == manifests.record(tmp_path / "step.fp16.onnx").sha256
    assert record.seconds > 0
    assert record.layers["MATRIX_MULTIPLY"] > 5
    assert list(record.products) == ["fp16"]
    left = {path.name for path in tmp_path.iterdir()}
    assert not [name for name in left if ".part" in name or name.endswith(".lock")]


def test_the_graph_is_of_the_precision_asked_for_or_missed(tmp_path: Path) -> None:
    manifest = manifests.read(write_model(tmp_path / "voice", SMALL, ("fp32",)))
    assert choose_graph(manifest, fp16=False).file == "step.onnx"
    with pytest.raises(WavestepError, match="there is no fp16 step graph; export"):
        choose_graph(manifest, fp16=True)


def test_the_timing_cache_is_used_for_the_same_builder_only(
    tmp_path: Path, manifest: Manifest, rtx: Builder
) -> None:
    graph = choose_graph(manifest, fp16=False)
    with_plan = add_plan(tmp_path, manifest, graph, rtx)
    timing = tmp_path / TIMING_CACHE
    assert timing.exists()
    trust.add({manifests.record(timing).sha256: "made here"})
    add_plan(tmp_path, with_plan, graph, rtx)  # read again, without a complaint
    plan = with_plan.artifacts[-1]
    elsewhere = dataclasses.replace(plan, built={**plan.built, "gpu": "Another GPU"})
    broken = dataclasses.replace(plan, built={"flavour": 3})
    file = with_plan.files[PLAN]
    trust.add({hashlib.sha256(b"of another builder").hexdigest(): "made here, too"})
    for other in (elsewhere, broken):
        timing.write_bytes(b"of another builder")
        add_plan(tmp_path, manifests.with_artifact(manifest, other, file), graph, rtx)
        assert timing.read_bytes() != b"of another builder", "not this builder's, so made anew"


def test_a_strangers_timing_cache_is_never_read(
    tmp_path: Path, manifest: Manifest, rtx: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = choose_graph(manifest, fp16=False)
    with_plan = add_plan(tmp_path, manifest, graph, rtx)
    timing = tmp_path / TIMING_CACHE
    timing.write_bytes(b"whatever TensorRT would make of it")
    add_plan(tmp_path, with_plan, graph, rtx)
    assert timing.read_bytes() != b"whatever TensorRT would make of it"


def test_fp16_with_large_products_in_float32_is_an_error(
    tmp_path: Path, manifest: Manifest, rtx: Builder
) -> None:
    lying = dataclasses.replace(choose_graph(manifest, fp16=False), precision="fp16")
    with pytest.raises(WavestepError, match=r"fp16 was asked for, but .*step\.onnx 100% in fp32"):
        add_plan(tmp_path, manifest, lying, rtx)
    assert not (tmp_path / PLAN).exists()


def test_a_failed_build_leaves_the_older_plan(
    tmp_path: Path, manifest: Manifest, rtx: Builder
) -> None:
    (tmp_path / PLAN).write_bytes(b"the older one")
    (tmp_path / "step.onnx").write_bytes(b"broken")
    manifest = manifests.with_file(manifest, tmp_path / "step.onnx")
    with pytest.raises(WavestepError, match="cannot build"):
        add_plan(tmp_path, manifest, manifest.artifacts[0], rtx)
    assert (tmp_path / PLAN).read_bytes() == b"the older one"


def test_a_graph_changed_since_the_manifest_is_not_built(
    tmp_path: Path, manifest: Manifest, rtx: Builder
) -> None:
    with (tmp_path / "step.onnx").open("ab") as file:
        file.write(b" ")
    with pytest.raises(WavestepError, match="truncated or changed"):
        add_plan(tmp_path, manifest, manifest.artifacts[0], rtx)
