"""An export that cannot be, or is not the model, leaves what was there as it was."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.export.commands.invoke import error_of, run
from tests.models import model_dir
from wn_export.commands.export import main
from wn_export.package import graph_files
from wn_runtime.model import manifest as manifests
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

pytest.importorskip("torch", reason="torch is not installed")


def spoil(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let step graphs or conditioner graphs be of other weights, as a bug would make them."""
    maker = f"build_{which}_graph"
    true = getattr(graph_files, maker)

    def spoilt(spec: ModelSpec, weights: Weights, *settings: Any) -> Any:
        changed = {"input.bias": weights["input.bias"] + 1}
        changed |= {name: weights[name] * 2 for name in weights if name.startswith("condition.")}
        return true(spec, {**weights, **changed}, *settings)

    monkeypatch.setattr(graph_files, maker, spoilt)


def test_a_folder_of_something_else_is_told_with_what_is_taken(
    exported: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    said = error_of(main, tmp_path / "data")
    assert "data has neither best.pt, as a run's folder, nor manifest.json, as a model dir" in said
    said = error_of(main, exported, "--c-api", tmp_path / "c", "-o", tmp_path / "o")
    assert said.endswith(
        f"--c-api {tmp_path}/c is the place of all it makes; leave out -o {tmp_path}/o"
    )


@pytest.mark.parametrize("which", ["step", "conditioner"])
def test_an_export_that_is_not_the_model_is_set_aside(
    checkpoint: Path, tmp_path: Path, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(which, monkeypatch)
    result = run(main, checkpoint, "-o", tmp_path / "voice")
    assert result.exit_code == 1
    assert "FAIL" in result.stdout
    *_, failed, following = result.stdout.splitlines()
    assert failed.startswith("failed   outside tolerance: kept as ")
    assert following == f"next     wn-inspect {tmp_path / 'voice.failed'}"
    assert not (tmp_path / "voice").exists()
    kept = manifests.read(tmp_path / "voice.failed")
    assert [row.passed for row in kept.parity] == [which != "step"]
    assert [row.passed for row in kept.conditioner_parity] == [True, which != "conditioner"]


def test_a_failed_export_leaves_the_good_one(
    exported: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = model_dir.records(exported)
    spoil("step", monkeypatch)
    assert run(main, checkpoint, "-o", exported).exit_code == 1
    assert run(main, exported).exit_code == 1
    assert model_dir.records(exported) == before


def test_a_missing_checkpoint(tmp_path: Path) -> None:
    assert "absent.pt does not exist" in error_of(main, tmp_path / "absent.pt")


def test_a_truncated_or_changed_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    data = checkpoint.read_bytes()
    bad = tmp_path / "bad.pt"
    for broken in (data[:1000], data[: len(data) // 2], b"", data[:2000] + b"x" + data[2001:]):
        bad.write_bytes(broken)
        assert "bad.pt" in error_of(main, bad, "-o", tmp_path / "voice")
    assert not (tmp_path / "voice").exists()


def test_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (open, (str(tmp_path / "was_run"), "w"))

    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(Bomb()))
    assert "not a wavestep checkpoint" in error_of(main, tmp_path / "bomb.pt")
    assert not (tmp_path / "was_run").exists()


def test_a_folder_of_someone_elses_is_not_replaced(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "song.wav").write_bytes(b"irreplaceable")
    assert "music is not a model directory" in error_of(main, checkpoint, "-o", tmp_path / "music")
    assert (tmp_path / "music" / "song.wav").read_bytes() == b"irreplaceable"


def test_a_full_disk_leaves_nothing_half_written(
    checkpoint: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = model_dir.records(exported)

    def full(path: Path, reference: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wn_export.parity.reference.save", full)
    said = error_of(main, checkpoint, "-o", exported)
    assert "cannot be written: No space left on device" in said
    assert model_dir.records(exported) == before
    assert {path.name for path in exported.parent.iterdir()} == {"voice"}


def test_a_disk_that_takes_no_more_is_one_line(checkpoint: Path, exported: Path) -> None:
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


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("", "it is empty; name a file or a directory"),
        ("pipe", "named pipe"),
        ("/dev/zero", "device"),
        ("/dev/null", "device"),
        ("loop", "loop"),
        ("x" * 300, "File name too long"),
        ("missing.pt", "missing.pt does not exist"),
        ("empty", "nor manifest.json, as a model directory"),
    ],
)
def test_a_source_that_is_none_is_one_line(
    tmp_path: Path, source: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    Path("empty").mkdir()
    assert fault in error_of(main, source)


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("", "it is empty; name a file or a directory"),
        ("/", "/ cannot be a model directory"),
        ("pipe", "pipe exists and is not a directory"),
        ("/dev/null", "/dev/null exists and is not a directory"),
        ("v" * 250, "has too long a name"),
        ("pipe/voice", "voice cannot be written"),
        (".", "is not a model directory"),
    ],
)
def test_a_place_that_is_none_is_one_line(
    checkpoint: Path, tmp_path: Path, target: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    before = sorted(tmp_path.iterdir())
    assert fault in error_of(main, checkpoint, "-o", target)
    assert sorted(tmp_path.iterdir()) == before


def test_more_streams_than_memory_are_refused_before_anything_is_made(
    checkpoint: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = model_dir.records(exported)
    monkeypatch.setattr("wn_runtime.engines.memory.available_bytes", lambda: 10**6)
    for source in (checkpoint, exported):
        said = error_of(main, source, "-o", exported, "--batch", 60000)
        assert "60000 streams of this model need" in said
    assert model_dir.records(exported) == before


def test_who_asks_for_int8_is_told_that_it_is_always_there(checkpoint: Path) -> None:
    assert "leave it out" in error_of(main, checkpoint, "--int8")


def test_options_that_cannot_be(checkpoint: Path, tmp_path: Path) -> None:
    for batch in (0, -1, 65537, 10**9, 10**30):
        said = error_of(main, checkpoint, "-o", tmp_path / "voice", "--batch", batch)
        assert f"batch is {batch}; it must be at " in said
    soundfile.write(tmp_path / "hum.wav", np.zeros(99), 400)
    said = error_of(main, checkpoint, "--audio", tmp_path / "hum.wav", "--frames", "a.npy")
    assert "this model takes no frames; leave --frames out" in said
    said = error_of(main, checkpoint, "--audio", tmp_path / "absent.wav")
    assert "absent.wav cannot be read as audio: it does not exist" in said
