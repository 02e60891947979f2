"""wn-inspect tells what a directory holds, and whether it is still what was written."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, random_weights, small_spec
from wn_export.commands.inspecting import main
from wn_runtime.commands import directory_view
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.errors import WavestepError
from wn_runtime.model import layout
from wn_runtime.model import manifest as manifests
from wn_runtime.model.inspection import inspect, state_bytes
from wn_runtime.model.manifest import Artifact, ConditionerRow, ParityRow

SPEC = CORNERS["two_conditions"]
ROW = ParityRow("onnx", "fp32", 2e-6, 1e-7, -1e-9, 100, None, None, True)
SOURCE = {"checkpoint": "best.pt", "step": 7, "valid_bits": 3.65490420687}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = write_model(tmp_path / "voice", SPEC, precisions=("fp32", "fp16"))
    manifest = manifests.read(directory)
    manifests.write(
        directory,
        dataclasses.replace(
            manifest,
            parity=(ROW,),
            conditioner_parity=(ConditionerRow("numpy", 3e-7, True),),
            default_precision={"native": "int8"},
            source=SOURCE,
        ),
    )
    return directory


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    return result.stdout if code != 2 else result.stderr


def test_the_report_names_everything_a_user_can_set_or_check(model: Path) -> None:
    text = run(model)
    for words in (
        "3 layers, residual 8, gate 16, skip 8, head 8, softmax, classes 16",
        "receptive field 8 samples (1 ms)",
        "dilations 1 2 4",
        "speaker (categorical, 3): ann, bob, eve",
        "mood (tags, 2): calm, loud",
        "delay_lines [7, B, 8] float32",
        "checkpoint: best.pt",
        "valid bits: 3.6549",
        "step.fp16.onnx",
        "native, made from the weights: int8 by default",
        "PASS",
        "weights.safetensors",
    ):
        assert words in text
    assert "-0.0000" not in text


def test_what_was_proven_is_a_table(model: Path) -> None:
    rows = [line.removeprefix("parity").split() for line in run(model).splitlines()]
    assert ["onnx", "fp32", "2.0e-06", "+0.0000", "100", "none", "PASS"] in rows
    assert ["conditioner", "numpy", "3.0e-07", "PASS"] in rows


def test_the_sizes_are_those_of_the_arrays() -> None:
    for spec in CORNERS.values():
        assert spec.parameters == sum(a.size for a in random_weights(spec).values())
        arrays = layout.initial(spec, 1).values()
        assert state_bytes(spec) == sum(array.nbytes for array in arrays)


def test_json_has_the_manifest_and_what_follows_from_it(model: Path) -> None:
    data = json.loads(run(model, "--json"))
    assert data["spec"]["residual_channels"] == 8
    assert data["state"]["delay_lines"]["rows"] == 7
    assert data["parity"][0]["passed"] is True
    assert {a["file"] for a in data["artifacts"]} == {"step.onnx", "step.fp16.onnx"}
    assert data["sound"] is True
    assert data["files"]["step.onnx"]["status"] == "ok"


def test_a_file_of_the_directory_shows_its_own_record(model: Path) -> None:
    data = json.loads(run(model / "step.fp16.onnx", "--json"))
    assert [a["precision"] for a in data["artifacts"]] == ["fp16"]
    assert list(data["files"]) == ["step.fp16.onnx"]
    assert "step.onnx " not in run(model / "step.fp16.onnx")
    assert run(model / "manifest.json") == run(model)


def test_a_plan_is_inspected_without_tensorrt(model: Path) -> None:
    (model / "engine.plan").write_bytes(b"not read by wn-inspect")
    built = {"tensorrt": "10.3.0", "gpu": "Orin", "compute_capability": "8.7"}
    manifest = manifests.with_artifact(
        manifests.read(model),
        Artifact("engine.plan", "tensorrt", "fp16", 1, built=built),
        manifests.record(model / "engine.plan"),
    )
    manifests.write(model, manifest)
    text = run(model / "engine.plan")
    assert "tensorrt: 10.3.0; gpu: Orin; compute capability: 8.7" in text


def spoilt(model: Path, name: str) -> None:
    path = model / name
    path.write_bytes(b"x" * path.stat().st_size)


def test_its_last_line_is_what_to_do_next(model: Path) -> None:
    def following(at: Path, code: int = 0) -> str:
        return run(at, code=code).splitlines()[-1].removeprefix("next     ")

    assert following(model) == f"wn-run {model}"
    assert following(model / "step.onnx") == f"wn-run {model / 'step.onnx'}"
    assert following(model / "weights.safetensors") == f"wn-run {model}"
    (model / "reference.npz").write_bytes(b"not read by wn-inspect")
    manifest = manifests.with_file(manifests.read(model), model / "reference.npz")
    manifests.write(model, manifest)
    assert following(model) == f"wn-run {model}"
    lower = dataclasses.replace(ROW, engine="native", precision="int8", passed=False)
    failed = dataclasses.replace(ROW, precision="fp16", passed=False)
    for rows, command in (
        ((), "wn-parity"),
        ((ROW, failed), "wn-parity"),
        ((ROW, lower), "wn-run"),  # which nobody has to use
    ):
        manifests.write(model, dataclasses.replace(manifest, parity=rows))
        assert following(model) == f"{command} {model}"
    spoilt(model, "step.onnx")
    assert following(model, code=1) == f"wn-export {model}", "made anew from its weights"
    spoilt(model, "weights.safetensors")
    assert following(model, code=1) == f"wn-export CKPT -o {model}"


def test_json_is_nothing_but_json(model: Path) -> None:
    assert json.loads(run(model, "--json"))["sound"]


def test_what_swelled_is_not_read(model: Path) -> None:
    for name in ("step.onnx", "notes.txt"):
        (model / name).touch()
        os.truncate(model / name, 2**40)  # hours of hashing
    found = {file.name: file for file in inspect(model).files}
    assert (found["step.onnx"].status, found["step.onnx"].sha256) == ("changed", "")
    assert (found["notes.txt"].status, found["notes.txt"].sha256) == ("extra", "")


def test_changed_missing_and_extra_files_are_told_apart(model: Path) -> None:
    (model / "step.onnx").write_bytes(b"x" * (model / "step.onnx").stat().st_size)
    (model / "step.fp16.onnx").unlink()
    (model / "notes.txt").write_text("mine")
    found = inspect(model)
    statuses = {file.name: file.status for file in found.files}
    assert statuses == {
        "weights.safetensors": "ok",
        "conditioner.onnx": "ok",
        "step.onnx": "changed",
        "step.fp16.onnx": "missing",
        "notes.txt": "extra",
    }
    assert not found.sound
    assert "changed" in run(model, code=1)


def test_a_directory_with_reports_and_own_notes_is_sound(model: Path) -> None:
    for name in ("report.json", "report.html", "notes.txt"):
        (model / name).write_text("{}")
    found = inspect(model)
    assert found.sound
    assert {f.name for f in found.files if f.status == "extra"} == {"notes.txt"}


def test_a_checkpoint_is_answered_with_the_command_that_exports_it(tmp_path: Path) -> None:
    path = tmp_path / "best.pt"
    path.write_bytes(b"PK")
    with pytest.raises(WavestepError, match=f"wn-export {re.escape(str(path))}"):
        directory_view.show(path, json_=False)


def test_what_is_no_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "lone.onnx").write_bytes(b"")
    for path in (tmp_path / "nowhere", tmp_path, tmp_path / "lone.onnx"):
        text = run(path, code=2)
        assert text.startswith("error: ")
        assert text.count("\n") == 1
    with pytest.raises(WavestepError, match="does not exist"):
        inspect(tmp_path / "nowhere")


def test_no_engine_library_is_loaded(model: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from wn_export.commands.inspecting import main\n"
        "main([sys.argv[1]], standalone_mode=False)\n"
        "heavy = {'onnxruntime', 'onnx', 'tensorrt', 'torch', 'cuda', 'soundfile'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(model)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_frames_are_told_with_their_time(tmp_path: Path) -> None:
    local = LocalFrames(80, 200, 16, (3, 3), False, "linear", 10)
    model = write_model(tmp_path / "voice", small_spec(conditioning=(local,)))
    text = run(model)
    assert (
        "80 channels, one every 200 samples (25.0 ms); audio is 3 frames (75.0 ms) behind" in text
    )
    assert (
        "frames: channels 80, hop 200, hidden 16, kernels [3, 3], causal False, upsampling linear, "
        "hold 10" in text
    )
    timing = json.loads(run(model, "--json"))["timing"]
    assert (timing["hop"], timing["lookahead"], timing["frame_channels"]) == (200, 600, 80)
