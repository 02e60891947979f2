"""Local conditioning as a user meets it: trained, exported, proven, run and rebuilt."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

import wn_runtime
from tests.end_to_end.doing import do
from tests.train.framed_corpus import write_framed

pytest.importorskip("torch", reason="torch is not installed")

from wn_export.commands.export import main as wn_export
from wn_export.commands.inspecting import main as wn_inspect
from wn_export.commands.parity import main as wn_parity
from wn_runtime.commands.run import main as wn_run
from wn_runtime.model import manifest as manifests
from wn_train.commands.train import main as wn_train

SETTINGS = """
[model]
dilations = [1, 3, 9, 1]
residual_channels = 8
skip_channels = 8
head_channels = 8
[model.frames]
hop = 40
hidden = 5
kernels = [3]
[training]
steps = 20
batch_samples = 2000
warmup_steps = 2
validate_every = 10
sample_every = 0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local")
    write_framed(folder / "data", seconds=0.2)
    (folder / "c.toml").write_text(SETTINGS)
    run = folder / "run"
    do(wn_train, folder / "data", "-o", run, "--config", folder / "c.toml", "--threads", 1)
    do(wn_export, run / "best.pt", "--fp16", "-o", folder / "voice")
    return folder


def test_every_engine_and_both_ways_of_conditioning_are_proven(folder: Path) -> None:
    manifest = manifests.read(folder / "voice")
    assert {row.engine for row in manifest.parity} >= {"onnx"}
    assert all(row.passed for row in manifest.parity)
    assert {(row.name, row.passed) for row in manifest.conditioner_parity} == {
        ("numpy", True),
        ("onnx", True),
    }
    checkpoint = folder / "run" / "best.pt"
    assert "FAIL" not in do(wn_parity, folder / "voice", "--checkpoint", checkpoint)


def test_the_directory_rebuilds_itself_without_torch(folder: Path) -> None:
    do(wn_export, folder / "voice", "-o", folder / "again")
    assert all(row.passed for row in manifests.read(folder / "again").conditioner_parity)
    assert "3 channels, one every 40 samples (5.0 ms)" in do(wn_inspect, folder / "again")


def test_every_float32_engine_makes_the_same_audio_of_a_file(folder: Path) -> None:
    frames = folder / "data" / "mels" / "5.npy"
    files = []
    for engine in ("onnx", "native") if shutil.which("cc") else ("onnx",):
        files.append(folder / f"{engine}.wav")
        how = ["--engine", engine, "--precision", "fp32", "-o", files[-1]]
        do(wn_run, folder / "voice", "--speaker", "low", "--frames", frames, *how)
        assert soundfile.info(files[-1]).frames == len(np.load(frames)) * 40
    assert len({file.read_bytes() for file in files}) == 1


def test_a_stream_of_pieces_of_any_sizes_is_the_same(folder: Path) -> None:
    frames = np.load(folder / "data" / "mels" / "5.npy")
    total = len(frames) * 40
    with wn_runtime.open(folder / "voice") as model:
        whole = model.stream(seed=1, speaker="high")
        whole.push(frames, last=True)
        expected = whole.read(total)
        rng = np.random.default_rng(0)
        for _ in range(3):
            stream = model.stream(seed=1, speaker="high")
            stream.push(frames, last=True)
            cuts = sorted({0, total, *rng.integers(1, total, 9).tolist()})
            found = [stream.read(end - start) for start, end in itertools.pairwise(cuts)]
            assert np.array_equal(np.concatenate(found), expected)
