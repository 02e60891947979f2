"""wn-parity proves a directory without torch, or against the live checkpoint; 1 if it cannot."""

import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from tests import model_dir, specs
from tests.export.checkpoints import write_checkpoint
from tests.export.engines import onnx_only
from wn_export.commands import export as cli
from wn_export.commands.parity import main
from wn_runtime.model import manifest as manifests

SPEC = dataclasses.replace(specs.CORNERS["one_condition"], sample_rate=1000)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def error_of(*arguments):
    """The one line of a run that must be refused with exit code 2."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr.strip()


@pytest.fixture(scope="module", autouse=True)
def onnx_engine_only():
    """The native engine would only compile here."""
    with onnx_only():
        yield


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("runs") / "voice.pt", SPEC)


@pytest.fixture(scope="module")
def exported_once(checkpoint, tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported") / "voice"
    made = CliRunner().invoke(cli.main, [str(checkpoint), "-o", str(directory), "--fp16"])
    assert made.exit_code == 0, made.output
    return directory


@pytest.fixture
def exported(exported_once, tmp_path):
    """A model directory with both precisions, for one test to spoil."""
    return shutil.copytree(exported_once, tmp_path / "voice")


def test_every_engine_is_proven_from_the_directory_alone(exported):
    (exported / "report.json").unlink()
    result = run(exported)
    assert result.exit_code == 0, result.output
    assert [line.split()[-1] for line in result.stdout.splitlines()[:2]] == ["PASS", "PASS"]
    assert json.loads((exported / "report.json").read_text())["passed"]


def test_one_engine_alone_leaves_the_report_of_all(exported, tmp_path):
    before = (exported / "report.json").read_bytes()
    result = run(exported, "--engine", "onnx")
    assert result.exit_code == 0, result.output
    assert "keeps its own, of every engine; --json FILE for this one" in result.stdout
    assert (exported / "report.json").read_bytes() == before
    run(exported, "--engine", "onnx", "--json", tmp_path / "one.json")
    assert json.loads((tmp_path / "one.json").read_text())["passed"]


def test_a_device_without_torch_or_onnx_can_prove_it(exported):
    (exported / "report.json").unlink()
    script = """
import sys
class NotHere:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "wn_train", "onnx", "matplotlib"):
            raise ModuleNotFoundError(name + " is not here", name=name)
sys.meta_path.insert(0, NotHere())
from wn_export.commands.parity import main
main()
"""
    result = subprocess.run(
        [sys.executable, "-c", script, str(exported), "--engine", "onnx"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "report.json only: no report.html without matplotlib" in result.stdout


def spoil_graph(directory, precision):
    """Put the graph of other weights in its place, with a manifest that vouches for it."""
    manifest = manifests.read(directory)
    other = model_dir.write_model(directory.parent / "other", SPEC, ("fp32", "fp16"), seed=9)
    name = {"fp32": "step.onnx", "fp16": "step.fp16.onnx"}[precision]
    (directory / name).write_bytes((other / name).read_bytes())
    files = {**manifest.files, name: manifests.record(directory / name)}
    manifests.write(directory, dataclasses.replace(manifest, files=files))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_graph_that_is_not_the_model_is_exit_code_1(exported, precision):
    spoil_graph(exported, precision)
    result = run(exported)
    assert result.exit_code == 1
    failed = [line for line in result.stdout.splitlines() if "FAIL" in line]
    assert len(failed) == 1
    assert precision in failed[0]
    assert not json.loads((exported / "report.json").read_text())["passed"]


def test_the_live_checkpoint_answers_too(exported, checkpoint, tmp_path):
    soundfile.write(tmp_path / "hum.wav", np.sin(np.arange(1400) / 9) / 2, 2000)
    file = tmp_path / "parity.json"
    result = run(
        exported, "--checkpoint", checkpoint, "--audio", tmp_path / "hum.wav", "--json", file
    )
    assert result.exit_code == 0, result.output
    assert "against  hum.wav; PyTorch" in result.stdout
    assert json.loads(file.read_text())["reference"]["samples"] == 700, "resampled to 1000 Hz"


def test_a_checkpoint_of_another_model_is_refused(exported, tmp_path):
    wider = write_checkpoint(tmp_path / "wider.pt", dataclasses.replace(SPEC, skip=SPEC.skip + 1))
    message = error_of(exported, "--checkpoint", wider)
    assert "wider.pt is another model than" in message
    assert f"skip is {SPEC.skip + 1}, not {SPEC.skip}" in message
    later = write_checkpoint(tmp_path / "later.pt", SPEC, seed=5)
    assert "later.pt is another training state than" in error_of(exported, "--checkpoint", later)


def test_a_tampered_file_is_named(exported):
    graph = exported / "step.fp16.onnx"
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)
    assert "step.fp16.onnx is not the file manifest.json describes" in error_of(exported)


def test_a_read_only_directory_is_proven_all_the_same(exported, monkeypatch):
    def refuse(*given):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("wn_export.parity.prove.write_reports", refuse)
    result = run(exported)
    assert result.exit_code == 0
    assert "not written: Permission denied; name a file with --json" in result.stderr


def test_what_cannot_be_asked(exported, tmp_path):
    assert "--audio needs PyTorch's answers to it" in error_of(exported, "--audio", "a.wav")
    assert "engine 'onx' is unknown" in error_of(exported, "--engine", "onx")
    assert "does not exist" in error_of(tmp_path / "absent")
