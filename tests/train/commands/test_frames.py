"""wn-train with frames: from a column of metadata.csv to a model that keeps their statistics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.train.framed_corpus import CHANNELS, HOP, write_framed
from wn_runtime.conditioning.frames import LocalFrames
from wn_train import checkpoint
from wn_train.commands.train import main

SETTINGS = """
[model]
cycle = 4
layers = 3
residual_channels = 8
skip_channels = 8
head_channels = 8
[model.frames]
hop = 40
hidden = 6
[data]
chunk_seconds = 0.01
tail_seconds = 0.02
[training]
batch_samples = 1500
validate_every = 2
sample_every = 2
sample_seconds = 0.1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_framed(tmp_path / "data")
    (tmp_path / "c.toml").write_text(SETTINGS)
    return tmp_path


def wn_train(folder: Path, *arguments: str) -> Result:
    where = [str(folder / "data"), "-o", str(folder / "run"), "--config", str(folder / "c.toml")]
    return CliRunner().invoke(main, [*where, "--threads", "1", *arguments])


def test_it_trains_with_frames_and_goes_on(folder: Path) -> None:
    done = wn_train(folder, "--steps", "2")
    assert done.exit_code == 0, done.output
    assert "2 speakers, frames of 3 channels every 40 samples, 6 files" in done.output
    best = checkpoint.load(folder / "run" / "best.pt")
    local = LocalFrames(CHANNELS, HOP, 6, (3, 3), False, "transposed", 10)
    assert best.spec.conditioning[1] == local
    every = [np.load(folder / "data" / "mels" / f"{i}.npy") for i in range(4)]
    mean = np.concatenate(every).mean(axis=0)
    for weights in (best.model, best.ema):
        np.testing.assert_allclose(weights["conditioners.1.mean"], mean, rtol=1e-5)
    assert all("frames" in clip for clip in best.clips)
    more = wn_train(folder, "--steps", "4", "--resume")
    assert more.exit_code == 0, more.output
    last = checkpoint.load(folder / "run" / "last.pt")
    assert last.step == 4
    assert (last.ema["conditioners.1.mean"] == best.ema["conditioners.1.mean"]).all()
    assert (last.ema["conditioners.1.weight"] != best.ema["conditioners.1.weight"]).any()


def test_frames_that_nobody_takes_are_left_out_with_a_word(folder: Path) -> None:
    (folder / "c.toml").write_text(SETTINGS.replace("[model.frames]\nhop = 40\nhidden = 6\n", ""))
    done = wn_train(folder, "--steps", "1")
    assert done.exit_code == 0, done.output
    assert "no [model.frames] takes them: they are left out" in done.output
    assert "2 speakers, 6 files" in done.output


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hop = 40\n", "", "model.frames: hop is not given, and the data has no features.json"),
        ("hop = 40", "hop = -1", "c.toml: model: frames: hop is -1; it must be 1 to 65536"),
        ("hop = 40", "hopp = 40", "key 'hopp' is unknown"),
        ("hop = 40", "hop = 80", "0.npy: it has 10 frames; 0.wav has 400 samples, which at a hop"),
        ("hop = 40", "hop = 40\nchannels = 80", "0.npy: it has 3 channels; the model takes 80"),
        ("hop = 40", "hop = 40\nkernels = [2]", "kernels are [2]; each must be odd, 1 to 63"),
        ("hop = 40", 'hop = 40\nupsampling = "cubic"', "upsampling 'cubic' is unknown"),
        ("[model.frames]", "[model]\nframes = 3\n[data]", "c.toml"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(folder: Path, old: str, new: str, message: str) -> None:
    (folder / "c.toml").write_text(SETTINGS.replace(old, new))
    done = wn_train(folder, "--steps", "1")
    assert done.exit_code == 2
    assert message in done.output
    assert done.output.splitlines()[-1].startswith("error: ")
    assert not (folder / "run").exists()
