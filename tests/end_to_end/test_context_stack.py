"""A context stack as a user meets it: configured, trained, exported, proven, run and rebuilt."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import wn_runtime
from tests.end_to_end.doing import do
from tests.train.framed_corpus import write_framed

pytest.importorskip("torch", reason="torch is not installed")

from wn_export.commands.export import main as wn_export
from wn_export.commands.inspecting import main as wn_inspect
from wn_export.commands.parity import main as wn_parity
from wn_export.parity import reference
from wn_runtime.commands.run import main as wn_run
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage
from wn_train.commands.train import main as wn_train

SETTINGS = """
[model]
dilations = [1, 3, 9, 1]
residual_channels = 8
skip_channels = 8
head_channels = 8
[model.context]
pool = 20
block = 40
channels = 6
filter_width = 9
layers = 4
[data]
chunk_seconds = 0.02
[training]
steps = 20
batch_samples = 2000
warmup_steps = 2
validate_every = 10
sample_every = 20
sample_seconds = 0.05
"""
FRAMES = "[model.frames]\nhop = 40\nhidden = 5\nkernels = [3]\n"
CONTEXT = 40 + 15 * 20 + 8


@pytest.fixture(
    scope="module",
    params=[
        "with frames",
        pytest.param("alone", marks=pytest.mark.slow),
        pytest.param("amplitudes", marks=pytest.mark.slow),
    ],
)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("context")
    write_framed(folder / "data", seconds=0.2)
    settings = SETTINGS + (FRAMES if request.param == "with frames" else "")
    if request.param == "amplitudes":
        settings += "[model.output]\nkind = 'logistic'\ncomponents = 2\n"
    (folder / "c.toml").write_text(settings)
    run, data = folder / "run", folder / "data"
    said = do(wn_train, data, "-o", run, "--config", folder / "c.toml", "--threads", 1)
    assert f"at 8000 Hz), context {CONTEXT} samples (0.0 s), 2 speakers" in said
    said = do(wn_export, run / "best.pt", "--fp16", "-o", folder / "voice")
    assert f"samples (2 ms), context {CONTEXT} samples (0.0 s), 2 speakers" in said
    return folder


def frames_of(folder: Path) -> list[object]:
    framed = "[model.frames]" in (folder / "c.toml").read_text()
    return ["--frames", folder / "data" / "mels" / "5.npy"] if framed else ["--seconds", 0.25]


def test_every_engine_and_both_ways_of_conditioning_are_proven(folder: Path) -> None:
    manifest = manifests.read(folder / "voice")
    assert {row.engine for row in manifest.parity} >= {"onnx"}
    assert all(row.passed for row in manifest.parity)
    assert {(row.name, row.passed) for row in manifest.conditioner_parity} == {
        ("numpy", True),
        ("onnx", True),
    }
    kept = reference.load(ModelPackage(folder / "voice"))
    assert max(each.bias_samples for each in kept.predictions) > CONTEXT, "the memory was not full"
    checkpoint = folder / "run" / "best.pt"
    assert "FAIL" not in do(wn_parity, folder / "voice", "--checkpoint", checkpoint)


def test_the_directory_rebuilds_itself_without_torch(folder: Path) -> None:
    do(wn_export, folder / "voice", "-o", folder / "again")
    assert all(row.passed for row in manifests.read(folder / "again").conditioner_parity)
    said = do(wn_inspect, folder / "again")
    assert f"receptive field 15 samples (2 ms), context {CONTEXT} samples (0.0 s)" in said
    assert "a block of 40 samples (5.0 ms) at a time, and as much behind" in said


def test_every_float32_engine_makes_the_same_audio(folder: Path) -> None:
    found = []
    for engine in ("onnx", "native") if shutil.which("cc") else ("onnx",):
        file = folder / f"{engine}.wav"
        how = ["--engine", engine, "--precision", "fp32", "-o", file, *frames_of(folder)]
        do(wn_run, folder / "voice", "--speaker", "low", "--seed", 4, *how)
        found.append(soundfile.read(file, dtype="int16")[0])
        assert len(found[-1]) == 2000
    # Amplitudes are fed back as they are: engines a rounding apart part for good, later on.
    exact = len(found[0]) if "output" not in (folder / "c.toml").read_text() else 40
    assert all(abs(each[:exact] - found[0][:exact]).max() <= (exact == 40) for each in found)


def test_a_stream_of_pieces_of_any_sizes_is_the_same(folder: Path) -> None:
    frames = np.load(folder / "data" / "mels" / "5.npy")
    with wn_runtime.open(folder / "voice") as model:

        def begun() -> wn_runtime.Stream:
            stream = model.stream(seed=1, speaker="high")
            if stream.available is not None:
                stream.push(frames, last=True)
            return stream

        expected = begun().read(1600)
        rng = np.random.default_rng(0)
        for _ in range(3):
            stream = begun()
            cuts = sorted({0, 1600, *rng.integers(1, 1600, 9).tolist()})
            found = [stream.read(end - start) for start, end in itertools.pairwise(cuts)]
            assert np.array_equal(np.concatenate(found), expected)


def test_a_snapshot_within_a_block_goes_on_the_same(folder: Path) -> None:
    frames = np.load(folder / "data" / "mels" / "5.npy")
    with wn_runtime.open(folder / "voice") as model:
        stream = model.stream(seed=1, speaker="high")
        if stream.available is not None:
            stream.push(frames, last=True)
        stream.read(517)
        snapshot = stream.snapshot()
        onward = stream.read(900)
        assert np.array_equal(stream.restore(snapshot).read(900), onward)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pool = 20", "pool = 30", "model: context: block is 40; it must be a multiple of pool"),
        ("pool = 20", "pools = 20", "key 'pools' is unknown"),
        ("layers = 4", "layers = 30", "its context is"),
        ("pool = 20\nblock = 40", "pool = 30\nblock = 60", "of 60 samples, and all .* block 120"),
        ("pool = 20\nblock = 40", "pool = 24\nblock = 120", "for 10 and 24 samples; one must"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(tmp_path: Path, old: str, new: str, message: str) -> None:
    write_framed(tmp_path / "data")
    (tmp_path / "c.toml").write_text((SETTINGS + FRAMES).replace(old, new))
    where = [tmp_path / "data", "-o", tmp_path / "run", "--config", tmp_path / "c.toml"]
    done = CliRunner().invoke(wn_train, [*map(str, where), "--steps", "1"])
    assert done.exit_code == 2, done.output
    assert re.search(message, done.output)
    assert done.output.splitlines()[-1].startswith("error: ")
    assert not (tmp_path / "run").exists()
