"""Tags as a user meets them: in metadata.csv, trained, exported, proven, run and moved."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

import wn_runtime
from tests.end_to_end.doing import do
from tests.train.recordings import RATE, tone

pytest.importorskip("torch", reason="torch is not installed")

from wn_export.commands.export import main as wn_export
from wn_export.commands.inspecting import main as wn_inspect
from wn_export.commands.parity import main as wn_parity
from wn_export.parity import reference as references
from wn_runtime.commands.run import main as wn_run
from wn_runtime.conditioning.spec import Condition
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import open_package
from wn_train.commands.train import main as wn_train

SETTINGS = """
[model]
dilations = [1, 3, 9, 1]
residual_channels = 8
skip_channels = 8
head_channels = 8
[data]
condition_dropout = 0.1
[training]
steps = 20
batch_samples = 2000
warmup_steps = 2
validate_every = 10
sample_every = 20
sample_seconds = 0.02
"""
INSTRUMENTS, TEMPI = ("organ", "piano"), ("fast", "slow")
ENGINES = ("onnx", "native") if shutil.which("cc") else ("onnx",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tones with two tags each, one with none; a run trained on them, and its export."""
    folder = tmp_path_factory.mktemp("tags")
    data = folder / "data"
    data.mkdir()
    rows = ["file,split,tags"]
    for i, pair in enumerate(itertools.product(INSTRUMENTS, TEMPI)):
        for split in ("train", "valid"):
            soundfile.write(data / f"{split}{i}.wav", tone(300 + 90 * i, 0.2), RATE)
            rows.append(f"{split}{i}.wav,{split},{'+'.join(pair)}")
    soundfile.write(data / "bare.wav", tone(500, 0.2), RATE)
    rows.append("bare.wav,train,")
    (data / "metadata.csv").write_text("\n".join(rows) + "\n")
    (folder / "c.toml").write_text(SETTINGS)
    said = do(wn_train, data, "-o", folder / "run", "--config", folder / "c.toml", "--threads", 1)
    assert ", 4 tags, 9 files" in said
    do(wn_export, folder / "run" / "best.pt", "--fp16", "-o", folder / "voice")
    return folder


def test_training_moves_every_tags_row(folder: Path) -> None:
    package, _ = open_package(folder / "voice")
    names = ("fast", "organ", "piano", "slow")
    assert package.spec.conditions == (Condition("tags", "tags", names),)
    table = package.weights["condition.tags.weight"]
    assert len(table) == 4
    assert (np.abs(table).reshape(4, -1).max(axis=1) > 1e-3).all()
    assert len(np.unique(table.reshape(4, -1), axis=0)) == 4


def test_parity_is_of_clips_with_several_tags(folder: Path) -> None:
    package, _ = open_package(folder / "voice")
    reference = references.load(package)
    assert {clip.conditions["tags"] for clip in reference.clips} == {
        "+".join(pair) for pair in itertools.product(INSTRUMENTS, TEMPI)
    }
    manifest = manifests.read(folder / "voice")
    assert {row.engine for row in manifest.parity} >= set(ENGINES)
    assert all(row.passed for row in manifest.parity)
    rows = {(row.name, row.passed) for row in manifest.conditioner_parity}
    assert rows == {("numpy", True), ("onnx", True)}
    checkpoint = folder / "run" / "best.pt"
    assert "FAIL" not in do(wn_parity, folder / "voice", "--checkpoint", checkpoint)


def test_inspect_lists_them(folder: Path) -> None:
    assert "tags (tags, 4): fast, organ, piano, slow" in do(wn_inspect, folder / "voice")


def test_every_float32_engine_makes_the_same_audio_of_the_same_tags(folder: Path) -> None:
    made = {}
    for tags in (("piano", "slow"), ("slow", "piano"), ("piano",), ("organ", "slow")):
        for engine in ENGINES:
            file = folder / "a.wav"
            how = ["--engine", engine, "--precision", "fp32", "--seconds", 0.2, "-o", file]
            asked = [word for tag in tags for word in ("--tag", tag)]
            do(wn_run, folder / "voice", *asked, *how)
            made[frozenset(tags), engine] = file.read_bytes()
    assert len(made) == 3 * len(ENGINES)
    assert len(set(made.values())) == 3


@pytest.mark.parametrize("there", ENGINES)
def test_a_snapshot_takes_its_tags_along(folder: Path, there: str) -> None:
    with (
        wn_runtime.open(folder / "voice", "onnx", "fp32") as model,
        wn_runtime.open(folder / "voice", there, "fp32", batch=2) as other,
    ):
        stream = model.stream(seed=4, tags={"piano", "slow"})
        stream.read(100)
        kept = stream.snapshot()
        onward = stream.read(200)
        elsewhere = other.stream(seed=9, tags=[{"organ"}, "fast+organ"])
        elsewhere.restore(kept, slots=[1])
        assert np.array_equal(elsewhere.read(200)[:, [1]], onward)
