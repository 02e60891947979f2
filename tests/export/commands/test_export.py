"""wn-export CKPT: from a checkpoint to a proven model directory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click
import numpy as np
import onnx
import pytest
import soundfile

from tests.export.checkpoints import write_checkpoint
from tests.export.commands.invoke import error_of, run
from tests.export.engines import engines
from wn_export.commands.export import main
from wn_export.parity import trained
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.native.compiler import Compiler
from wn_runtime.engines.native.platforms import Platform
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model import manifest as manifests
from wn_runtime.model.layout import layout
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec


def test_the_command_says_what_it_made(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(main, checkpoint, "--fp16")
    assert result.exit_code == 0, result.output
    model, graph, *parity, engine, wrote, following = result.stdout.splitlines()
    assert model.startswith("model    voice  3 layers, 0.00 M parameters, receptive field 8 ")
    assert model.endswith("3 speakers, 2 moods")
    assert graph.split() == ["graph", "step.onnx,", "step.fp16.onnx", "opset", "17"]
    assert [line[:25].rstrip() for line in parity] == [
        "parity   onnx fp32    max",
        "         onnx fp16    max",
        "         bias numpy   max",
        "         bias onnx    max",
    ]
    assert all(line.endswith("PASS") for line in parity)
    assert engine.startswith("engine   "), "built, or how to"
    assert wrote.startswith("wrote    voice/  (0.")
    assert following == "next     wn-run voice"


def test_the_folder_of_a_run_is_its_best_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "best.pt").write_bytes(checkpoint.read_bytes())
    result = run(main, tmp_path / "run", "-o", tmp_path / "voice")
    assert result.exit_code == 0, result.output
    assert manifests.read(tmp_path / "voice").source["checkpoint"] == "best.pt"
    assert result.stdout.splitlines()[-1] == f"next     wn-run {tmp_path / 'voice'}"


def test_a_run_without_a_best_checkpoint_is_exported_from_its_last(
    checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "last.pt").write_bytes(checkpoint.read_bytes())
    said = error_of(main, tmp_path / "run", "-o", tmp_path / "voice")
    assert f"give {tmp_path / 'run' / 'last.pt'}, or go on with wn-train DATA -o " in said
    result = run(main, tmp_path / "run" / "last.pt", "-o", tmp_path / "voice")
    assert result.exit_code == 0, result.output


def test_the_directory_holds_what_the_manifest_says(exported: Path, spec: ModelSpec) -> None:
    manifest = manifests.read(exported)
    manifests.verify(exported, manifest)
    here = {path.name for path in exported.iterdir()}
    assert here == {*manifest.files, "manifest.json", "report.json", "report.html"}
    graphs = {"step.onnx", "step.fp16.onnx", "conditioner.onnx"}
    assert set(manifest.files) == {"weights.safetensors", "reference.npz", *graphs}
    assert manifest.spec == spec
    assert manifest.state == layout(spec)
    assert manifest.source["checkpoint"] == "voice.pt"
    assert (manifest.source["step"], manifest.source["valid_bits"]) == (1234, 3.5)
    assert manifest.source["attribution"] == "someone's data, CC0"
    assert {"torch", "onnx", "numpy", "python"} <= manifest.versions.keys()


def test_the_manifest_has_every_proof_and_what_follows_from_it(exported: Path) -> None:
    manifest = manifests.read(exported)
    proven = [(row.engine, row.precision, row.passed) for row in manifest.parity]
    assert proven == [("onnx", "fp32", True), ("onnx", "fp16", True)]
    bias = [(row.name, row.passed) for row in manifest.conditioner_parity]
    assert bias == [("numpy", True), ("onnx", True)]
    assert manifest.default_precision == {"onnx": "fp32"}, "on a CPU the faster of the two"
    assert open_engine(exported).precision == "fp32"


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is here")
def test_every_engine_that_ran_has_a_default_precision(tmp_path: Path, checkpoint: Path) -> None:
    voice = tmp_path / "voice"
    with engines("native", "onnx"):
        assert run(main, checkpoint, "-o", voice).exit_code == 0
        manifest = manifests.read(voice)
        passed = {row.precision for row in manifest.parity if row.engine == "native" and row.passed}
        fastest = next(p for p in ("int8", "bf16", "fp32") if p in passed)
        assert manifest.default_precision == {"native": fastest, "onnx": "fp32"}
        assert open_engine(voice, "native").precision == fastest


def test_the_reports_say_what_was_compared(exported: Path) -> None:
    report = json.loads((exported / "report.json").read_text())
    assert report["passed"]
    assert report["reference"]["samples"] == 900
    assert report["reference"]["free_running"]["samples"] == 800
    assert [row["name"] for row in report["conditioners"]] == ["numpy", "onnx"]
    page = (exported / "report.html").read_text()
    assert page.count("<audio") == 4, "the recording, PyTorch, float32 and half precision"
    assert page.count("data:image/png;base64,") == 5
    assert "src='http" not in page
    assert "href" not in page


@pytest.mark.parametrize(("flags", "which"), [([], "ema"), (["--raw-weights"], "raw")])
def test_averaged_weights_are_exported_unless_raw_ones_are_asked_for(
    checkpoint: Path, tmp_path: Path, flags: list[str], which: str
) -> None:
    run(main, checkpoint, "-o", tmp_path / which, *flags)
    expected = trained.load(checkpoint, raw=which == "raw").weights
    manifest = manifests.read(tmp_path / which)
    found = ModelPackage(tmp_path / which).weights
    np.testing.assert_array_equal(found["gate.weight"], expected["gate.weight"])
    assert manifest.source["weights"] == which


def test_batched_graphs_are_proven_too(checkpoint: Path, tmp_path: Path) -> None:
    assert run(main, checkpoint, "-o", tmp_path / "voice", "--batch", 3).exit_code == 0
    manifest = manifests.read(tmp_path / "voice")
    assert [artifact.batch for artifact in manifest.artifacts] == [3]
    assert manifest.parity[0].samples_compared == 3 * 800
    assert [row.passed for row in manifest.conditioner_parity] == [True, True]
    graph = onnx.load(tmp_path / "voice" / "conditioner.onnx").graph
    assert graph.output[0].type.tensor_type.shape.dim[2].dim_value == 3


def test_given_audio_is_the_material(checkpoint: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hum.wav", np.sin(np.arange(700) / 9) / 2, 400)
    made = run(main, checkpoint, "-o", tmp_path / "voice", "--audio", tmp_path / "hum.wav")
    assert made.exit_code == 0, made.output
    report = json.loads((tmp_path / "voice" / "report.json").read_text())
    assert report["reference"]["material"] == "hum.wav"
    assert report["reference"]["samples"] == 700


def test_a_checkpoint_without_audio_says_what_it_was_proven_on(
    tmp_path: Path, spec: ModelSpec
) -> None:
    path = write_checkpoint(tmp_path / "bare.pt", spec, clips=0)
    assert run(main, path, "-o", tmp_path / "bare").exit_code == 0
    report = json.loads((tmp_path / "bare" / "report.json").read_text())
    assert report["reference"]["material"].startswith("free-running samples of its own")


def test_a_target_decides_what_is_exported_and_names_the_next_step(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> str:
        raise EngineUnavailable("NVRTC is not here")

    def no_compiler(platform: Platform) -> Compiler:
        raise EngineUnavailable(f"no compiler for {platform.machine}")

    monkeypatch.setattr("wn_runtime.engines.native.precompiled.find_cross_compiler", no_compiler)
    monkeypatch.setattr("wn_runtime.engines.device_loop.nvrtc.version", missing)
    result = run(main, checkpoint, "-o", tmp_path / "voice", "--target", "orin-nano-8gb")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "step.fp16.onnx" in lines[1]
    assert lines[2].startswith("target   Jetson Orin Nano")
    assert "warning: cuda not compiled ahead for orin-nano-8gb: NVRTC is not here" in lines
    assert any(line.endswith("no compiler for aarch64") for line in lines)
    assert lines[-2].startswith("fit      orin-nano-8gb: the ")
    assert lines[-1] == f"next     on the device: wn-run {tmp_path / 'voice'}"
    for name in ("orin-nano", "", "../voice", "x" * 5000):
        said = error_of(main, checkpoint, "--target", name)
        assert "is unknown; known are: cpu, browser, nano, " in said


def test_a_shell_offers_what_target_takes() -> None:
    (option,) = [each for each in main.params if each.name == "target"]
    context = click.Context(main, **main.context_settings)
    offered = [each.value for each in option.shell_complete(context, "")]
    assert {"browser", "cpu", "orin-nano-8gb"} <= set(offered)
    assert [each.value for each in option.shell_complete(context, "bro")] == ["browser"]
