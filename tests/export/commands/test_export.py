"""wn-export: from a checkpoint, or without torch from a model directory, to a proven directory."""

import dataclasses
import json
import pickle
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
import soundfile
from click.testing import CliRunner

from tests import model_dir, specs
from tests.export.checkpoints import write_checkpoint
from tests.export.engines import onnx_only
from wn_export.commands.export import main
from wn_export.parity import pytorch
from wn_runtime.engines.engine import open_engine
from wn_runtime.model import manifest as manifests
from wn_runtime.model import weights

SPEC = dataclasses.replace(specs.CORNERS["two_conditions"], sample_rate=1000)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def error_of(*arguments):
    """The one line of an export that must be refused with exit code 2."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ")
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
    made = run(checkpoint, "-o", directory, "--fp16")
    assert made.exit_code == 0, made.output
    return directory


@pytest.fixture
def exported(exported_once, tmp_path):
    """A model directory with both precisions, for one test to spoil."""
    return shutil.copytree(exported_once, tmp_path / "voice")


def test_the_command_says_what_it_made(checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(checkpoint, "--fp16")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("model    voice  3 layers, 0.00 M parameters, receptive field 8 ")
    assert lines[0].endswith("3 speakers, 2 moods")
    assert lines[1].split() == ["graph", "step.onnx,", "step.fp16.onnx", "opset", "17"]
    assert lines[2].startswith("parity   onnx fp32    max|Δ| ")
    assert lines[3].startswith("         onnx fp16    max|Δ| ")
    assert lines[2].endswith("PASS")
    assert lines[3].endswith("PASS")
    assert lines[4].startswith("engine   "), "built, or how to"
    assert lines[5].startswith("wrote    voice/  (0.")


def test_the_directory_holds_what_the_manifest_says(exported):
    manifest = manifests.read(exported)
    manifests.verify(exported, manifest)
    assert {path.name for path in exported.iterdir()} == {
        *manifest.files, "manifest.json", "report.json", "report.html",
    }  # fmt: skip
    assert set(manifest.files) == {
        "weights.safetensors", "step.onnx", "step.fp16.onnx", "conditioner.onnx", "reference.npz",
    }  # fmt: skip
    assert manifest.spec == SPEC
    assert manifest.source["checkpoint"] == "voice.pt"
    assert (manifest.source["step"], manifest.source["valid_bits"]) == (1234, 3.5)
    assert manifest.source["attribution"] == "someone's data, CC0"
    assert {"torch", "onnx", "numpy", "python"} <= manifest.versions.keys()
    assert [(row.precision, row.passed) for row in manifest.parity] == [
        ("fp32", True), ("fp16", True),
    ]  # fmt: skip
    report = json.loads((exported / "report.json").read_text())
    assert report["passed"]
    assert report["reference"]["samples"] == 900
    assert report["reference"]["free_running"]["samples"] == 2000


def test_the_report_is_one_page_with_pictures_and_sound(exported):
    page = (exported / "report.html").read_text()
    assert page.count("<audio") == 3, "PyTorch, float32 and half precision"
    assert page.count("data:image/png;base64,") == 4
    assert "src='http" not in page
    assert "href" not in page


def test_averaged_weights_are_exported_unless_raw_ones_are_asked_for(checkpoint, tmp_path):
    for flags, which in ([], "ema"), (["--raw-weights"], "raw"):
        run(checkpoint, "-o", tmp_path / which, *flags)
        expected = pytorch.load(checkpoint, raw=which == "raw").weights
        manifest = manifests.read(tmp_path / which)
        found = weights.load(tmp_path / which / "weights.safetensors", manifest.spec)
        np.testing.assert_array_equal(found["gate.weight"], expected["gate.weight"])
        assert manifest.source["weights"] == which


def test_batched_graphs_are_proven_too(checkpoint, tmp_path):
    assert run(checkpoint, "-o", tmp_path / "voice", "--batch", 3).exit_code == 0
    manifest = manifests.read(tmp_path / "voice")
    assert [artifact.batch for artifact in manifest.artifacts] == [3]
    assert manifest.parity[0].samples_compared == 3 * 2000
    graph = onnx.load(tmp_path / "voice" / "conditioner.onnx").graph
    assert graph.output[0].type.tensor_type.shape.dim[2].dim_value == 3


def test_chunk_graphs_lie_beside_the_step_graphs(checkpoint, tmp_path):
    voice = tmp_path / "voice"
    assert run(checkpoint, "-o", voice, "--steps-per-call", 4).exit_code == 0
    assert run(voice, "--fp16").exit_code == 0, "a rebuild keeps them"
    manifest = manifests.read(voice)
    manifests.verify(voice, manifest)
    assert [(a.file, a.steps_per_call) for a in manifest.artifacts if a.engine == "onnx"] == [
        ("step.onnx", 1), ("chunk4.onnx", 4), ("step.fp16.onnx", 1), ("chunk4.fp16.onnx", 4),
    ]  # fmt: skip
    assert "steps per call is 0; it must be at least 1" in error_of(
        checkpoint, "--steps-per-call", 0
    )


def test_given_audio_is_the_material(checkpoint, tmp_path):
    soundfile.write(tmp_path / "hum.wav", np.sin(np.arange(700) / 9) / 2, 1000)
    assert run(checkpoint, "-o", tmp_path / "voice", "--audio", tmp_path / "hum.wav").exit_code == 0
    report = json.loads((tmp_path / "voice" / "report.json").read_text())
    assert report["reference"]["material"] == "hum.wav"
    assert report["reference"]["samples"] == 700


def test_a_checkpoint_without_audio_says_what_it_was_proven_on(tmp_path):
    path = write_checkpoint(tmp_path / "bare.pt", SPEC, excerpts=0)
    assert run(path, "-o", tmp_path / "bare").exit_code == 0
    report = json.loads((tmp_path / "bare" / "report.json").read_text())
    assert report["reference"]["material"].startswith("free-running samples of its own")


@pytest.fixture
def spoilt_graphs(monkeypatch):
    """Step graphs of a model with another embedding, as a bug in the export would make."""
    from wn_export.package import graph_files as models

    true = models.build_step_graph

    def spoilt(spec, weights, precision, batch):
        return true(spec, {**weights, "input.bias": weights["input.bias"] + 1}, precision, batch)

    monkeypatch.setattr(models, "build_step_graph", spoilt)


@pytest.mark.usefixtures("spoilt_graphs")
def test_an_export_that_is_not_the_model_is_set_aside(checkpoint, tmp_path):
    result = run(checkpoint, "-o", tmp_path / "voice")
    assert result.exit_code == 1
    assert "FAIL" in result.stdout
    assert "kept as" in result.stdout
    assert not (tmp_path / "voice").exists()
    kept = manifests.read(tmp_path / "voice.failed")
    assert [row.passed for row in kept.parity] == [False]


def test_a_failed_export_leaves_the_good_one(exported, checkpoint, request):
    before = model_dir.records(exported)
    request.getfixturevalue("spoilt_graphs")
    assert run(checkpoint, "-o", exported).exit_code == 1
    assert run(exported).exit_code == 1
    assert model_dir.records(exported) == before


def test_a_directory_is_rebuilt_in_place_from_its_weights(exported):
    before = manifests.read(exported)
    (exported / "step.onnx").unlink()
    result = run(exported, "--batch", 2)
    assert result.exit_code == 0, result.output
    after = manifests.read(exported)
    assert [(a.file, a.batch) for a in after.artifacts] == [
        ("step.onnx", 2), ("step.fp16.onnx", 2),
    ]  # fmt: skip
    assert after.files["weights.safetensors"] == before.files["weights.safetensors"]
    assert after.files["reference.npz"] == before.files["reference.npz"]
    assert (after.name, after.source) == (before.name, before.source)
    assert open_engine(exported, "onnx", batch=2).batch == 2


def test_a_directory_is_rebuilt_without_torch(exported, tmp_path):
    script = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "wn_train"):
            raise ImportError(name + " is not here")
sys.meta_path.insert(0, NoTorch())
from wn_export.commands.export import main
main()
"""
    command = [sys.executable, "-c", script]
    arguments = [str(exported), "--fp16", "-o", str(tmp_path / "again")]
    result = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert manifests.read(tmp_path / "again").spec == SPEC
    # And the block is one: a checkpoint needs torch.
    checkpoint = tmp_path / "any.pt"
    result = subprocess.run(
        [*command, str(checkpoint)], capture_output=True, text=True, check=False
    )
    assert "torch is not here" in result.stderr


def test_a_target_decides_what_is_exported_and_names_the_next_step(checkpoint, tmp_path):
    result = run(checkpoint, "-o", tmp_path / "voice", "--target", "orin-nano-8gb")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "step.fp16.onnx" in lines[1]
    assert lines[2].startswith("target   Jetson Orin Nano")
    assert lines[-1] == f"next     on the device: wn-export {tmp_path / 'voice'} --fp16"
    assert "target 'orin-nano' is unknown" in error_of(checkpoint, "--target", "orin-nano")


def test_a_missing_checkpoint(tmp_path):
    assert "absent.pt does not exist" in error_of(tmp_path / "absent.pt")


def test_a_truncated_or_changed_checkpoint(checkpoint, tmp_path):
    data = checkpoint.read_bytes()
    bad = tmp_path / "bad.pt"
    for broken in (data[:1000], data[: len(data) // 2], b"", data[:2000] + b"x" + data[2001:]):
        bad.write_bytes(broken)
        assert "bad.pt" in error_of(bad, "-o", tmp_path / "voice")
    assert not (tmp_path / "voice").exists()


def test_a_pickle_is_refused_and_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "was_run"), "w"))

    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(Bomb()))
    assert "not a wavestep checkpoint" in error_of(tmp_path / "bomb.pt")
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize("name", ["weights.safetensors", "reference.npz"])
def test_a_tampered_source_of_a_rebuild_is_named(exported, name):
    data = bytearray((exported / name).read_bytes())
    data[len(data) // 2] ^= 1
    (exported / name).write_bytes(data)
    assert f"{name} is not the file manifest.json describes" in error_of(exported)
    (exported / name).write_bytes(data[:-10])
    assert f"{name} has {len(data) - 10} bytes" in error_of(exported)
    (exported / name).unlink()
    assert f"{name} cannot be read" in error_of(exported)


def test_a_manifest_that_is_broken_newer_or_missing(exported):
    path = exported / "manifest.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "format": 99}))
    assert "format 99, this version reads up to 1; upgrade" in error_of(exported)
    path.write_text('{"format": 1,')
    assert "manifest.json cannot be read" in error_of(exported)
    path.unlink()
    assert "is not a model directory: manifest.json is missing" in error_of(exported)


def test_a_folder_of_someone_elses_is_not_replaced(checkpoint, tmp_path):
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "song.wav").write_bytes(b"irreplaceable")
    assert "music is not a model directory" in error_of(checkpoint, "-o", tmp_path / "music")
    assert (tmp_path / "music" / "song.wav").read_bytes() == b"irreplaceable"


def test_a_full_disk_leaves_nothing_half_written(checkpoint, exported, monkeypatch):
    before = model_dir.records(exported)

    def full(path, reference):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wn_export.parity.reference.save", full)
    assert "cannot be written: No space left on device" in error_of(checkpoint, "-o", exported)
    assert model_dir.records(exported) == before
    assert {path.name for path in exported.parent.iterdir()} == {"voice"}


def test_a_disk_that_takes_no_more_is_one_line(checkpoint, exported):
    before = model_dir.records(exported)
    script = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))  # the kernel refuses to write on
from wn_export.commands.export import main
main()
"""
    command = [sys.executable, "-c", script, str(checkpoint), "-o", str(exported)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1
    assert "voice cannot be written: File too large" in result.stderr
    assert model_dir.records(exported) == before
    assert {path.name for path in exported.parent.iterdir()} == {"voice"}


def test_options_that_cannot_be(checkpoint, exported, tmp_path):
    assert "batch is 0; it must be at least 1" in error_of(checkpoint, "--batch", 0)
    assert "--audio needs PyTorch's answers" in error_of(exported, "--audio", tmp_path / "a.wav")
    assert "--raw-weights needs PyTorch's" in error_of(exported, "--raw-weights")
    assert "absent.wav cannot be read as audio: it does not exist" in error_of(
        checkpoint, "--audio", tmp_path / "absent.wav"
    )
