"""What an engine's kind says before one is opened: what it offers, and which file it would run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.models.model_dir import with_default, write_model
from tests.models.specs import PLAIN, random_spec
from wn_runtime.engines.kind import EngineKind, Request
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.engines.onnx.kind import ONNX
from wn_runtime.engines.registry import ENGINES
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.work import Work


@pytest.fixture
def package(tmp_path: Path) -> ModelPackage:
    """A model with step graphs of one and of four streams in fp32, and one of fp16."""
    directory = write_model(tmp_path, PLAIN, ("fp32", "fp16"))
    manifest = manifests.read(directory)
    four = dataclasses.replace(manifest.artifacts[0], file="step.four.onnx", batch=4)
    record = manifest.files["step.onnx"]
    manifests.write(directory, manifests.with_artifact(manifest, four, record))
    return ModelPackage(directory)


def request(
    package: ModelPackage,
    precision: str | None = None,
    artifact: Artifact | None = None,
    kind: EngineKind = ONNX,
    batch: int = 1,
) -> Request:
    return Request(kind, package, artifact, precision, batch, threads=1)


@pytest.mark.parametrize("name", ENGINES)
def test_every_kind_is_under_its_name_with_a_cost_for_each_precision(name: str) -> None:
    kind = ENGINES[name]
    assert kind.name == name
    for seed in range(3):
        work = Work.of(random_spec(seed))
        for precision in kind.precisions:
            one, many = (kind.expected_us(work, precision, streams, 1) for streams in (1, 16))
            assert 0 < one <= many


def test_an_engine_made_from_the_weights_offers_every_precision(package: ModelPackage) -> None:
    assert NATIVE.offered(package.manifest) == [("int8", None), ("bf16", None), ("fp32", None)]
    assert NATIVE.default_precision(package.manifest) == "fp32"  # nothing has proven the others


def test_an_engine_that_runs_files_offers_what_was_exported(package: ModelPackage) -> None:
    offered = ONNX.offered(package.manifest)
    assert [precision for precision, _ in offered] == ["fp32", "fp16", "fp32"]
    assert all(artifact is not None for _, artifact in offered)
    assert ONNX.default_precision(package.manifest) == "fp32"
    without = dataclasses.replace(package.manifest, artifacts=package.manifest.artifacts[1:2])
    assert ONNX.default_precision(without) == "fp16"
    assert ONNX.default_precision(dataclasses.replace(without, artifacts=())) == "fp32"


def test_the_default_is_what_parity_found_for_that_engine(package: ModelPackage) -> None:
    with_default(package.directory, "onnx", "fp16")
    proven = ModelPackage(package.directory)
    assert request(proven).chosen_precision() == "fp16"
    assert request(proven, "fp32").chosen_precision() == "fp32"
    assert request(proven, kind=NATIVE).chosen_precision() == "fp32"
    with pytest.raises(EngineUnavailable, match="the onnx engine has no int8; its precisions are"):
        request(proven, "int8").chosen_precision()


@pytest.mark.parametrize(
    ("batch", "file"),
    [
        (1, "step.onnx"),
        (2, "step.four.onnx"),  # one call of four streams rather than two of one
        (4, "step.four.onnx"),
        (9, "step.four.onnx"),
    ],
)
def test_the_file_that_needs_the_fewest_calls_is_taken(
    package: ModelPackage, batch: int, file: str
) -> None:
    asked = request(package, batch=batch)
    assert asked.chosen_artifact("step graph", "export it with").file == file


def test_the_file_that_was_named_is_taken_if_the_kind_runs_its_precision(
    package: ModelPackage,
) -> None:
    named = package.artifact("step.four.onnx")
    assert request(package, artifact=named).chosen_artifact("step graph", "") is named
    other = dataclasses.replace(named, precision="int8")
    with pytest.raises(WavestepError, match=r"step.four.onnx has precision int8; .*fp32 and fp16"):
        request(package, artifact=other).chosen_artifact("step graph", "")


def test_what_was_not_exported_is_said_with_the_way_to_it(tmp_path: Path) -> None:
    wide = ModelPackage(write_model(tmp_path / "wide", PLAIN))
    with pytest.raises(EngineUnavailable, match=r"no fp16 step graph \(it has fp32\); .*--fp16"):
        request(wide, "fp16").chosen_artifact("step graph", "export it with")
    bare = ModelPackage(write_model(tmp_path / "bare", PLAIN, ()))
    with pytest.raises(
        EngineUnavailable, match=r"it has no step graph\); make it wn-export .*bare"
    ):
        request(bare).chosen_artifact("step graph", "make it")
    with pytest.raises(EngineUnavailable, match=r"make it wn-export .*bare --loop --fp16$"):
        request(bare, "fp16").chosen_artifact("step graph", "make it", "--loop")
