"""The main job, as a user does it: recordings in, proven audio out, command by command."""

from __future__ import annotations

import json
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.end_to_end.doing import do
from tests.train.recordings import RATE, tone
from wn_export.commands.export import main as wn_export
from wn_export.commands.inspecting import main as wn_inspect
from wn_export.commands.parity import main as wn_parity
from wn_runtime.commands.run import main as wn_run
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model import manifest as manifests
from wn_train.commands.train import main as wn_train

# What the presets leave at its simplest, all at once.
SETTINGS = """
[model]
dilations = [1, 3, 9, 1, 3]
kernel = 3
input_kernel = 2
residual_channels = 7
gate_channels = 10
skip_channels = 13
head_channels = 9
residual_scale = 0.7071067811865476
weight_norm = true
[model.output]
kind = "softmax"
classes = 100
[data]
chunk_seconds = 0.05
condition_dropout = 0.1
[training]
steps = 20
batch_samples = 2000
warmup_steps = 2
validate_every = 10
sample_every = 20
sample_seconds = 0.05
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """data/<speaker>/*.wav, a run trained on it, and its export."""
    folder = tmp_path_factory.mktemp("user")
    for speaker, hertz in (("ann", 500), ("bob", 900)):
        (folder / "data" / speaker).mkdir(parents=True)
        for i in range(3):
            audio = tone(hertz + i, 0.2 + 0.01 * i)
            soundfile.write(folder / "data" / speaker / f"{i}.wav", audio, RATE)
    (folder / "c.toml").write_text(SETTINGS)
    run = folder / "run"
    do(wn_train, folder / "data", "-o", run, "--config", folder / "c.toml", "--threads", 1)
    said = do(wn_export, run / "best.pt", "--fp16", "-o", folder / "voice")
    assert "2 speakers" in said
    return folder


def test_every_engine_and_precision_is_proven(folder: Path) -> None:
    manifest = manifests.read(folder / "voice")
    rows = {(row.engine, row.precision): row for row in manifest.parity}
    expected = {("onnx", "fp32"), ("onnx", "fp16")}
    if shutil.which("cc"):
        expected |= {("native", precision) for precision in ("fp32", "bf16", "int8")}
    assert expected <= set(rows)
    assert all(row.passed for row in rows.values())
    spec = manifest.spec
    assert (spec.kernel, spec.input_kernel, spec.dilations) == (3, 2, (1, 3, 9, 1, 3))
    assert spec.conditions[0].values == ("ann", "bob")
    assert spec.output == Softmax(100)
    assert all(row.passed for row in manifest.conditioner_parity)
    assert {row.name for row in manifest.conditioner_parity} == {"numpy", "onnx"}


def test_the_live_checkpoint_agrees_on_a_recording_of_ones_own(folder: Path) -> None:
    held_back = ["--audio", folder / "data" / "bob" / "2.wav", "--json", folder / "report.json"]
    said = do(wn_parity, folder / "voice", "--checkpoint", folder / "run" / "best.pt", *held_back)
    assert "FAIL" not in said
    assert json.loads((folder / "report.json").read_text())["passed"]


def test_wn_run_makes_the_same_audio_whichever_float32_engine_runs(folder: Path) -> None:
    files = {}
    for engine in ("onnx", "native") if shutil.which("cc") else ("onnx",):
        files[engine] = folder / f"{engine}.wav"
        voice = ["--speaker", "bob", "--seconds", 0.5, "--seed", 3]
        how = ["--engine", engine, "--precision", "fp32", "-o", files[engine]]
        said = do(wn_run, folder / "voice", *voice, *how)
        assert f"{engine} fp32" in said
        audio, rate = soundfile.read(files[engine])
        assert (len(audio), rate) == (RATE // 2, RATE)
    assert len({file.read_bytes() for file in files.values()}) == 1


def test_the_directory_is_whole_and_can_be_made_anew_in_place(folder: Path) -> None:
    assert "bob" in do(wn_inspect, folder / "voice")
    before = manifests.read(folder / "voice")
    do(wn_export, folder / "voice", "--fp16")
    after = manifests.read(folder / "voice")
    assert [row.passed for row in after.parity] == [True] * len(before.parity)
    assert after.files[manifests.WEIGHTS] == before.files[manifests.WEIGHTS]
    do(wn_inspect, folder / "voice")


def test_tensorboard_has_curves_and_audio_with_spectrograms_of_each_speaker(folder: Path) -> None:
    reader: Any = import_module("tensorboard.backend.event_processing.event_accumulator")
    events = reader.EventAccumulator(str(folder / "run" / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert {
        "train/bits_per_sample",
        "train/gradient_norm",
        "train/learning_rate",
        "valid/bits_per_sample",
    } <= set(tags["scalars"])
    speakers = ("speaker=ann", "speaker=bob")
    each = {f"{what}{beside}" for what in speakers for beside in ("", " (recording)")}
    assert set(tags["audio"]) == {f"audio/{name}" for name in each}
    assert set(tags["images"]) == {f"spectrogram/{name}" for name in each}
    first, last = (event.value for event in events.Scalars("valid/bits_per_sample"))
    assert last < first
