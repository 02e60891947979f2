"""wn-parity proves a directory without torch, or against the live checkpoint; 1 if it cannot."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import numpy as np
import onnx
import pytest
import soundfile

from tests.export.checkpoints import write_checkpoint
from tests.export.commands.invoke import error_of, run, run_without
from tests.models import model_dir
from wn_export.commands.parity import main
from wn_runtime.model import manifest as manifests
from wn_runtime.model.spec import ModelSpec


def test_everything_is_proven_from_the_directory_alone(exported: Path) -> None:
    (exported / "report.json").unlink()
    result = run(main, exported)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"next     wn-run {exported}"
    verdicts = [line.split()[-1] for line in result.stdout.splitlines()[:4]]
    assert verdicts == ["PASS"] * 4, "two precisions, two ways of making the bias"
    assert json.loads((exported / "report.json").read_text())["passed"]


def test_one_engine_alone_leaves_the_report_of_all(exported: Path, tmp_path: Path) -> None:
    before = (exported / "report.json").read_bytes()
    result = run(main, exported, "--engine", "onnx")
    assert result.exit_code == 0, result.output
    assert "keeps its own, of every engine; --json FILE for this one" in result.stdout
    assert (exported / "report.json").read_bytes() == before
    one = run(main, exported, "--engine", "onnx", "--json", tmp_path / "one.json")
    for said in (result, one):
        assert said.stdout.splitlines()[-1] == f"next     wn-run {exported} --engine onnx"
    assert json.loads((tmp_path / "one.json").read_text())["passed"]


def test_a_device_without_torch_or_onnx_can_prove_it(exported: Path) -> None:
    (exported / "report.json").unlink()
    absent = ("torch", "onnx", "matplotlib")
    result = run_without(absent, "parity", exported, "--engine", "onnx")
    assert result.returncode == 0, result.stderr
    assert "report.json only: no report.html without matplotlib" in result.stdout


@pytest.mark.parametrize("name", ["step.onnx", "step.fp16.onnx", "conditioner.onnx"])
def test_a_graph_that_is_not_the_model_is_exit_code_1(
    exported: Path, name: str, spec: ModelSpec
) -> None:
    other = model_dir.write_model(exported.parent / "other", spec, ("fp32", "fp16"), seed=9)
    (exported / name).write_bytes((other / name).read_bytes())
    manifest = manifests.with_file(manifests.read(exported), exported / name)
    manifests.write(exported, manifest)  # which vouches for it
    result = run(main, exported)
    assert result.exit_code == 1
    failed = [line for line in result.stdout.splitlines() if "FAIL" in line]
    what = {"step.onnx": "onnx fp32", "step.fp16.onnx": "onnx fp16"}.get(name, "bias onnx")
    assert [line.removeprefix("parity").split("max")[0].strip() for line in failed] == [what]
    assert not json.loads((exported / "report.json").read_text())["passed"]
    assert result.stdout.splitlines()[-1] == f"next     wn-export {exported}"


def test_the_live_checkpoint_gives_the_reference_too(
    exported: Path, checkpoint: Path, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "hum.wav", np.sin(np.arange(1400) / 9) / 2, 800)
    file = tmp_path / "parity.json"
    audio = ("--audio", tmp_path / "hum.wav")
    result = run(main, exported, "--checkpoint", checkpoint, *audio, "--json", file)
    assert result.exit_code == 0, result.output
    assert "against  hum.wav; PyTorch" in result.stdout
    assert json.loads(file.read_text())["reference"]["samples"] == 700, "resampled to 400 Hz"


def test_the_checkpoint_may_be_the_folder_of_its_run(
    exported: Path, checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "best.pt").write_bytes(checkpoint.read_bytes())
    result = run(main, exported, "--checkpoint", tmp_path / "run")
    assert result.exit_code == 0, result.output


def test_what_fails_against_a_checkpoint_is_exported_from_it(
    exported: Path, checkpoint: Path, spec: ModelSpec
) -> None:
    other = model_dir.write_model(exported.parent / "other", spec, ("fp32", "fp16"), seed=9)
    (exported / "step.onnx").write_bytes((other / "step.onnx").read_bytes())
    manifest = manifests.with_file(manifests.read(exported), exported / "step.onnx")
    manifests.write(exported, manifest)
    result = run(main, exported, "--checkpoint", checkpoint)
    assert result.exit_code == 1, result.output
    assert result.stdout.splitlines()[-1] == f"next     wn-export {checkpoint} -o {exported}"


def test_a_report_on_stdout_is_last_there(exported: Path) -> None:
    """/dev/stdout is a device here: a shell's is the terminal, a file or a pipe."""
    command = "from wn_export.commands.parity import main; main()"
    words = [sys.executable, "-c", command, str(exported), "--engine", "onnx"]
    words += ["--json", "/dev/stdout"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "next  " not in done.stdout
    assert json.loads(done.stdout[done.stdout.index("{") :])["passed"]


def test_a_checkpoint_of_another_model_is_refused(
    exported: Path, tmp_path: Path, spec: ModelSpec
) -> None:
    wider = dataclasses.replace(spec, skip_channels=spec.skip_channels + 1)
    path = write_checkpoint(tmp_path / "wider.pt", wider)
    message = error_of(main, exported, "--checkpoint", path)
    assert "wider.pt is another model than" in message
    assert f"skip_channels is {wider.skip_channels}, not {spec.skip_channels}" in message
    later = write_checkpoint(tmp_path / "later.pt", spec, seed=5)
    message = error_of(main, exported, "--checkpoint", later)
    assert "later.pt is another training state than" in message


def test_a_tampered_file_is_named(exported: Path) -> None:
    graph = exported / "step.fp16.onnx"
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)
    assert "step.fp16.onnx is not the file manifest.json describes" in error_of(main, exported)


def test_a_report_replaces_its_like_and_none_of_bench(exported: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert run(main, exported, "--json", tmp_path / "x.json").exit_code == 0
    (tmp_path / "x.json").write_text('{"header": {}, "rows": []}')
    assert "is no report of this command" in error_of(main, exported, "--json", tmp_path / "x.json")


def test_a_read_only_directory_is_proven_all_the_same(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("wn_export.parity.prove.write_reports", refuse)
    result = run(main, exported)
    assert result.exit_code == 0
    assert "not written: Permission denied; name a file with --json" in result.stderr


def test_devices_and_links_are_written_through(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("there.json")
    for target in ("/dev/null", tmp_path / "link.json"):
        assert run(main, exported, "--json", target).exit_code == 0
    assert Path("/dev/null").is_char_device()
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "there.json").read_text())["passed"]


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("", "it is empty; name a file"),
        (".", "it is a directory"),
        ("/no/such/folder/x.json", "no directory /no/such/folder; make it first"),
        ("pipe", "nobody reads it"),
        ("x" * 300, "File name too long"),
    ],
)
def test_where_nothing_can_be_written_nothing_is_compared(
    exported: Path, target: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wn_export.parity.prove.prove", lambda *given: pytest.fail("compared"))
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    assert fault in error_of(main, exported, "--json", target)


@pytest.mark.parametrize("name", ["step.onnx", "manifest.json", "keep.wav"])
def test_a_report_replaces_nothing_that_is_none(
    exported: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wn_export.parity.prove.prove", lambda *given: pytest.fail("compared"))
    (exported / "keep.wav").write_bytes(b"RIFF")
    before = (exported / name).read_bytes()
    assert "; give another name" in error_of(main, exported, "--json", exported / name)
    assert (exported / name).read_bytes() == before


def test_numbers_that_are_none_are_null_in_the_report(exported: Path, tmp_path: Path) -> None:
    """A graph whose weights are NaN, and a manifest that vouches for it."""
    for name in ("step.onnx", "conditioner.onnx"):
        graph = onnx.load(exported / name)
        for each in graph.graph.initializer:
            if each.data_type == onnx.TensorProto.FLOAT:
                array = np.full_like(onnx.numpy_helper.to_array(each), np.nan)
                each.CopyFrom(onnx.numpy_helper.from_array(array, each.name))
        (exported / name).write_bytes(graph.SerializeToString())
        manifest = manifests.with_file(manifests.read(exported), exported / name)
        manifests.write(exported, manifest)
    result = run(main, exported, "--json", tmp_path / "x.json")
    assert result.exit_code == 1, result.output
    text = (tmp_path / "x.json").read_text()
    data = json.loads(text, parse_constant=lambda constant: pytest.fail(constant))
    assert data["engines"][0]["max_error"] is None
    assert data["conditioners"][1]["max_error"] is None


def test_a_reference_that_is_none_is_one_line(exported: Path) -> None:
    np.savez(exported / "reference.npz", x=np.array([{}], object))
    manifest = manifests.with_file(manifests.read(exported), exported / "reference.npz")
    manifests.write(exported, manifest)
    assert "reference.npz cannot be read (" in error_of(main, exported)


def test_what_cannot_be_asked(exported: Path, tmp_path: Path) -> None:
    assert "--audio needs PyTorch's" in error_of(main, exported, "--audio", "a.wav")
    assert "engine 'onx' is unknown" in error_of(main, exported, "--engine", "onx")
    assert "does not exist" in error_of(main, tmp_path / "absent")
