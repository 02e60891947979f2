"""wn-train as a user meets it: the good path and the mistakes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.train.recordings import write_corpus
from wn_train import checkpoint
from wn_train.commands.train import main

SETTINGS = """
[model]
cycle = 4
layers = 3
residual_channels = 8
skip_channels = 8
head_channels = 8
[training]
batch_samples = 1500
validate_every = 2
sample_every = 2
sample_seconds = 0.005
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_corpus(tmp_path / "data")
    (tmp_path / "c.toml").write_text(SETTINGS)
    return tmp_path


def wn_train(folder: Path, *arguments: str) -> Result:
    command = [str(folder / "data"), "-o", str(folder / "run"), "--threads", "1", *arguments]
    return CliRunner().invoke(main, command)


def test_it_trains_and_goes_on(folder: Path) -> None:
    settings = ("--config", str(folder / "c.toml"))
    done = wn_train(folder, *settings, "--steps", "2")
    assert done.exit_code == 0, done.output
    assert "receptive field 8 samples (1 ms at 8000 Hz), 2 speakers, 6 files" in done.output
    best = checkpoint.load(folder / "run" / "best.pt")
    assert (best.name, best.step) == ("run", 2)
    assert best.config["model"]["residual_channels"] == 8
    assert best.clips
    assert list((folder / "run" / "tensorboard").iterdir())
    shared = checkpoint.load(folder / "run" / "release.pt")
    assert (shared.ema.keys(), shared.model, shared.training) == (best.ema.keys(), {}, {})
    more = wn_train(folder, *settings, "--steps", "4", "--resume")
    assert more.exit_code == 0, more.output
    assert checkpoint.load(folder / "run" / "last.pt").step == 4


def test_a_run_is_never_written_over(folder: Path) -> None:
    settings = ("--config", str(folder / "c.toml"), "--steps", "1")
    wn_train(folder, *settings)
    before = (folder / "run" / "last.pt").read_bytes()
    again = wn_train(folder, *settings)
    assert again.exit_code == 2
    assert "holds a run already; add --resume" in again.output
    assert (folder / "run" / "last.pt").read_bytes() == before


def test_resuming_another_model_is_refused(folder: Path) -> None:
    settings = ("--config", str(folder / "c.toml"), "--steps", "1")
    wn_train(folder, *settings)
    other = SETTINGS.replace("residual_channels = 8", "residual_channels = 9")
    (folder / "c.toml").write_text(other)
    again = wn_train(folder, *settings, "--resume")
    assert again.exit_code == 2
    assert "is another model than this data and configuration make" in again.output
    assert "(residual_channels was 8, now 9)" in again.output
    (folder / "c.toml").write_text(SETTINGS)
    (folder / "data" / "metadata.csv").write_text("file\n0.wav\n1.wav\n2.wav\n3.wav\n")
    assert "(not the same conditioning)" in wn_train(folder, *settings, "--resume").output


def test_a_run_that_has_the_steps_already_is_said_to(folder: Path) -> None:
    settings = ("--config", str(folder / "c.toml"))
    wn_train(folder, *settings, "--steps", "2")
    assert wn_train(folder, *settings, "--steps", "2", "--resume").exit_code == 0
    fewer = wn_train(folder, *settings, "--steps", "1", "--resume")
    assert fewer.exit_code == 2
    assert "last.pt is at step 2 already, steps is 1; give more --steps" in fewer.output
    (folder / "run" / "best.pt").unlink()  # as where Ctrl-C came before the first validation
    same = wn_train(folder, *settings, "--steps", "2", "--resume")
    assert "last.pt is at step 2 already, steps is 2" in same.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "papr"], "preset 'papr' is unknown"),
        (["--config", "none.toml"], "none.toml cannot be read"),
        (["--resume"], "last.pt does not exist"),
        (["--steps", "0"], "steps is 0"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(folder: Path, arguments: list[str], message: str) -> None:
    done = wn_train(folder, *arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert done.output.count("\n") == 1
    assert not (folder / "run" / "last.pt").exists()


def test_one_broken_file_stops_before_the_first_step(folder: Path) -> None:
    (folder / "data" / "3.wav").write_bytes(b"not audio")
    done = wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "1")
    assert done.exit_code == 2
    assert "3.wav: not readable as audio" in done.output
    assert not (folder / "run" / "last.pt").exists()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_saves_and_says_how_to_go_on(folder: Path, stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "wn_train", str(folder / "data"), "-o", str(folder / "run")]
    command += ["--config", str(folder / "c.toml"), "--steps", "1000000", "--threads", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("step 2:"):  # it trains; now the user has enough
                process.send_signal(stop)
                break
        said = process.stderr.read()
    assert process.returncode == 130
    assert "go on with the same command and --resume" in said
    assert "Traceback" not in said
    assert checkpoint.load(folder / "run" / "last.pt").step >= 2
