"""wn-export DIR: the graphs and engines of a model directory made anew, without torch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cuda_on_cpu.plan_dir import write_plan
from tests.export.commands.invoke import error_of, run, run_without
from tests.export.references import reference_of
from tests.models.specs import PLAIN
from wn_export.commands.export import main
from wn_export.package import plan
from wn_export.parity import reference
from wn_runtime.engines.choice import open_engine
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model import manifest as manifests
from wn_runtime.model.spec import ModelSpec


def test_a_directory_is_rebuilt_in_place_from_its_weights(exported: Path) -> None:
    before = manifests.read(exported)
    (exported / "step.onnx").unlink()
    result = run(main, exported, "--batch", 2)
    assert result.exit_code == 0, result.output
    after = manifests.read(exported)
    graphs = [(artifact.file, artifact.batch) for artifact in after.artifacts]
    assert graphs == [("step.onnx", 2), ("step.fp16.onnx", 2)], "the precisions it had"
    assert after.files["weights.safetensors"] == before.files["weights.safetensors"]
    assert after.files["reference.npz"] == before.files["reference.npz"]
    assert (after.name, after.source, after.state) == (before.name, before.source, before.state)
    assert after.versions["torch"] == before.versions["torch"], "what made the reference"
    assert open_engine(exported, "onnx", batch=2).batch == 2


def test_a_rebuild_proves_everything_again(exported: Path) -> None:
    before = manifests.read(exported)
    assert run(main, exported).exit_code == 0
    after = manifests.read(exported)
    assert after.parity == before.parity
    assert after.conditioner_parity == before.conditioner_parity
    assert after.default_precision == before.default_precision
    manifests.verify(exported, after)


def test_a_directory_is_rebuilt_without_torch(
    exported: Path, tmp_path: Path, spec: ModelSpec
) -> None:
    no_torch = ("torch",)
    result = run_without(no_torch, "export", exported, "--fp16", "-o", tmp_path / "again")
    assert result.returncode == 0, result.stderr
    assert manifests.read(tmp_path / "again").spec == spec
    # And the block is one: a checkpoint needs torch.
    assert "torch is not here" in run_without(no_torch, "export", tmp_path / "any.pt").stderr


@pytest.mark.parametrize("compatible", [True, False])
def test_a_plan_for_later_versions_of_tensorrt_stays_one(
    tmp_path: Path, compatible: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write_plan(tmp_path / "voice", PLAIN, version_compatible=compatible)
    reference.save(directory / manifests.REFERENCE, reference_of(PLAIN))
    manifest = manifests.read(directory)
    manifests.write(directory, manifests.with_file(manifest, directory / manifests.REFERENCE))

    def nothing_here() -> None:
        raise EngineUnavailable("no TensorRT")

    monkeypatch.setattr(plan, "find_builder", nothing_here)
    result = run(main, directory)
    assert result.exit_code == 0, result.output
    assert ("--version-compatible" in result.stdout) is compatible


@pytest.mark.parametrize("name", ["weights.safetensors", "reference.npz"])
def test_a_tampered_source_of_a_rebuild_is_named(exported: Path, name: str) -> None:
    data = bytearray((exported / name).read_bytes())
    data[len(data) // 2] ^= 1
    (exported / name).write_bytes(data)
    assert f"{name} is not the file manifest.json describes" in error_of(main, exported)
    (exported / name).write_bytes(data[:-10])
    assert f"{name} has {len(data) - 10} bytes" in error_of(main, exported)
    (exported / name).unlink()
    assert f"{name} cannot be read" in error_of(main, exported)


def test_a_manifest_that_is_broken_of_another_format_or_missing(exported: Path) -> None:
    path = exported / "manifest.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "format": 99}))
    assert "format 99, this version reads 2; upgrade" in error_of(main, exported)
    path.write_text(json.dumps({**data, "format": 1}))
    assert "format 1, this version reads 2; export the model again" in error_of(main, exported)
    path.write_text('{"format": 2,')
    assert "manifest.json cannot be read" in error_of(main, exported)
    path.unlink()
    assert "nor manifest.json, as a model directory" in error_of(main, exported)


def test_what_only_pytorch_can_give_is_refused(exported: Path, tmp_path: Path) -> None:
    assert "--audio needs PyTorch's" in error_of(main, exported, "--audio", tmp_path / "a.wav")
    assert "--raw-weights needs PyTorch's" in error_of(main, exported, "--raw-weights")
