"""engine.plan: built where a builder is, otherwise the command that builds it on the device."""

import dataclasses

import pytest

from tests import model_dir, specs
from wn_export.package import plan as plan_step
from wn_runtime.engines.engine import EngineUnavailable
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact


@pytest.fixture
def staged(tmp_path):
    """A directory in the making, its manifest, and the older one that it will replace."""
    old = model_dir.write_model(tmp_path / "voice", specs.PLAIN, ("fp32", "fp16"))
    new = model_dir.write_model(tmp_path / "part", specs.PLAIN, ("fp32", "fp16"))
    return new, manifests.read(new), old


def test_without_a_builder_the_command_for_the_device_is_named(staged, monkeypatch):
    directory, manifest, target = staged

    def nothing_here():
        raise EngineUnavailable("TensorRT not found here (no module); pip install it")

    monkeypatch.setattr(plan_step, "find_builder", nothing_here)
    for asked, flag in (
        ((True,), " --fp16"),
        ((False,), ""),
        ((True, True), " --fp16 --version-compatible"),
    ):
        same, line = plan_step.try_plan(directory, manifest, target, *asked)
        assert same == manifest
        assert line == (
            f"TensorRT not found here: run `wn-export {target}/{flag}` on the device to build "
            "engine.plan"
        )


class Trt:
    __version__ = "10.3.0"


@dataclasses.dataclass
class Builder:
    flavour: str = "tensorrt"
    trt: type = Trt
    gpu: str = "Orin"


def test_with_a_builder_the_plan_is_of_the_precision_asked_for(staged, monkeypatch):
    directory, manifest, target = staged
    (target / "engine.timing").write_bytes(b"measured before")
    seen = {}

    def add_plan(path, given, graph, builder, version_compatible, old):
        seen.update(graph=graph.file, old=old, timing=(path / "engine.timing").read_bytes())
        seen.update(version_compatible=version_compatible)
        (path / "engine.plan").write_bytes(b"plan")
        artifact = Artifact("engine.plan", "tensorrt", "fp16", 1, built={"seconds": 71.2})
        return manifests.with_artifact(given, artifact, manifests.record(path / "engine.plan"))

    monkeypatch.setattr(plan_step, "find_builder", Builder)
    monkeypatch.setattr(plan_step, "add_plan", add_plan)
    made, line = plan_step.try_plan(directory, manifest, target, True, version_compatible=True)
    assert line == "engine.plan  TensorRT 10.3.0 for Orin, built in 71 s"
    assert seen["graph"] == "step.fp16.onnx"
    assert seen["version_compatible"]
    assert seen["timing"] == b"measured before", "the older plan's measurements are used again"
    assert seen["old"].name == "voice", "and whose they are is told"
    assert "engine.plan" in made.files


def test_a_timing_cache_of_unknown_origin_is_left_alone(staged, monkeypatch):
    directory, manifest, target = staged
    (target / "engine.timing").write_bytes(b"?")
    (target / "manifest.json").write_text("broken")

    def add_plan(path, given, graph, builder, version_compatible, old):
        assert not version_compatible
        assert old is None
        assert not (path / "engine.timing").exists()
        artifact = Artifact("engine.plan", "tensorrt", "fp32", 1, built={"seconds": 1.0})
        return dataclasses.replace(given, artifacts=(*given.artifacts, artifact))

    monkeypatch.setattr(plan_step, "find_builder", Builder)
    monkeypatch.setattr(plan_step, "add_plan", add_plan)
    plan_step.try_plan(directory, manifest, target, fp16=False)
