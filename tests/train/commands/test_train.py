"""wn-train as a user meets it: the good path and the mistakes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import soundfile
import torch
from click.testing import CliRunner, Result

from tests.train.recordings import RATE, tone, write_corpus
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


def test_a_resumed_run_has_its_own_configuration(folder: Path) -> None:
    first = wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "2")
    assert first.stderr.splitlines()[-1] == f"next     wn-export {folder / 'run'}"
    assert first.stdout == ""
    more = wn_train(folder, "--steps", "3", "--resume")
    assert more.exit_code == 0, more.output
    last = checkpoint.load(folder / "run" / "last.pt")
    assert (last.step, last.config["model"]["residual_channels"]) == (3, 8)
    assert last.config["training"]["steps"] == 3
    other = wn_train(folder, "--steps", "4", "--resume", "--preset", "tiny")
    assert other.exit_code == 2
    assert "is another model than this data and configuration make" in other.output


def test_the_configuration_in_the_folder_makes_the_same_run(folder: Path) -> None:
    wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "2")
    kept = folder / "run" / "config.toml"
    again = wn_train(folder, "--config", str(kept), "-o", str(folder / "other"))
    assert again.exit_code == 0, again.output
    assert (folder / "other" / "config.toml").read_bytes() == kept.read_bytes()
    one, two = (checkpoint.load(folder / name / "last.pt") for name in ("run", "other"))
    assert one.config == two.config
    assert all(torch.equal(one.ema[name], two.ema[name]) for name in one.ema)


def test_what_is_edited_there_is_taken_by_resume(folder: Path) -> None:
    wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "2")
    kept = folder / "run" / "config.toml"
    text = kept.read_text().replace("steps = 2\n", "steps = 3\n").replace("0.002", "0.001 # less")
    kept.write_text(text)
    more = wn_train(folder, "--resume")
    assert more.exit_code == 0, more.output
    last = checkpoint.load(folder / "run" / "last.pt")
    assert last.step == 3
    assert last.config["training"]["learning_rate"] == 0.001
    assert kept.read_text() == text, "it says what is so, in its user's words"
    assert wn_train(folder, "--resume", "--steps", "4").exit_code == 0
    assert "\nsteps = 4\n" in kept.read_text()


def test_another_model_in_it_is_refused_and_changes_nothing(folder: Path) -> None:
    wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "2")
    kept = folder / "run" / "config.toml"
    text = kept.read_text().replace("skip_channels = 8", "skip_channels = 9")
    kept.write_text(text)
    before = (folder / "run" / "last.pt").read_bytes()
    more = wn_train(folder, "--resume", "--steps", "3")
    assert more.exit_code == 2
    assert "(skip_channels was 8, now 9)" in more.output
    assert "config.toml as it was" in more.output
    assert (folder / "run" / "last.pt").read_bytes() == before
    assert kept.read_text() == text
    kept.unlink()
    assert wn_train(folder, "--resume", "--steps", "3").exit_code == 0, "last.pt has it, too"
    assert "skip_channels = 8" in kept.read_text()


def test_a_run_of_before_took_every_column_with_an_empty_list(folder: Path) -> None:
    wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "2")
    last = folder / "run" / "last.pt"
    old = checkpoint.load(last)
    old.config["data"]["conditions"] = []
    checkpoint.save(last, old)
    (folder / "run" / "config.toml").unlink()
    more = wn_train(folder, "--resume", "--steps", "3")
    assert more.exit_code == 0, more.output
    assert checkpoint.load(last).config["data"]["conditions"] is None


def test_a_file_of_that_name_is_not_written_over(folder: Path) -> None:
    (folder / "run").mkdir()
    mine = folder / "run" / "config.toml"
    mine.write_text(SETTINGS)
    done = wn_train(folder, "--config", str(mine), "--steps", "1")
    assert done.exit_code == 2
    assert "config.toml is there, and a run writes its own; move it" in done.output
    assert mine.read_text() == SETTINGS


@pytest.mark.parametrize("conditions", ["[]", "left out", '["speaker"]'])
def test_a_model_may_have_no_condition_all_or_some(folder: Path, conditions: str) -> None:
    given = "" if conditions == "left out" else f"[data]\nconditions = {conditions}\n"
    (folder / "c.toml").write_text(SETTINGS + given)
    done = wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "2")
    assert done.exit_code == 0, done.output
    names = [c.name for c in checkpoint.load(folder / "run" / "best.pt").spec.conditions]
    assert names == ([] if conditions == "[]" else ["speaker"])
    assert ("no conditions, 6 files" in done.output) == (not names)
    more = wn_train(folder, "--resume", "--steps", "3")
    assert more.exit_code == 0, more.output


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
    (folder / "c.toml").write_text(SETTINGS.replace("[training]", "weight_norm = true\n[training]"))
    assert "(weight_norm was False, now True)" in wn_train(folder, *settings, "--resume").output
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
        (["--resume"], "run cannot be gone on with: it is not there; leave out --resume to begin"),
        (["--steps", "0"], "'--steps': 0 is not in the range"),
        (["--steps", "9" * 5000], "'--steps'"),
        (["--threads", "0"], "'--threads': 0 is not in the range"),
        (["--threads", "100000"], "'--threads': 100000 is not in the range"),
        (["-o", "/dev/null"], "/dev/null cannot be made"),
        (["-o", "/dev/null/run"], "/dev/null/run cannot be made"),
        (["-o", "/"], "set name in a configuration, or give another -o"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(folder: Path, arguments: list[str], message: str) -> None:
    done = wn_train(folder, *arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert done.output.count("\n") == 1
    assert not (folder / "run").exists()


def test_one_broken_file_stops_before_the_first_step(folder: Path) -> None:
    (folder / "data" / "3.wav").write_bytes(b"not audio")
    done = wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "1")
    assert done.exit_code == 2
    assert "3.wav: not readable as audio" in done.output
    assert not (folder / "run").exists()


def test_a_model_of_the_data_that_cannot_be_is_one_line(folder: Path) -> None:
    rows = [f"{i % 6}.wav,{i},{'valid' if i > 9 else 'train'}" for i in range(3000)]
    (folder / "data" / "metadata.csv").write_text("\n".join(["file,speaker,split", *rows]))
    wide = SETTINGS.replace("layers = 3\n", "layers = 1024\ngate_channels = 512\n")
    (folder / "c.toml").write_text(wide)
    done = wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "1")
    assert done.exit_code == 2
    assert "data: with this data it has 1" in done.output
    assert done.output.splitlines()[-1].startswith("error: ")


def test_a_model_over_what_memory_there_is_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wn_train.training.memory.available_bytes", lambda: 1000)
    done = wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "1")
    assert done.exit_code == 2
    assert "error: training needs" in done.output
    assert not (folder / "run").exists()


def test_conditions_may_have_names_that_pytorch_uses(folder: Path) -> None:
    metadata = folder / "data" / "metadata.csv"
    metadata.write_text(metadata.read_text().replace("file,speaker", "file,type"))
    settings = ("--config", str(folder / "c.toml"))
    assert wn_train(folder, *settings, "--steps", "2").exit_code == 0
    assert wn_train(folder, *settings, "--steps", "3", "--resume").exit_code == 0
    shared = checkpoint.load(folder / "run" / "release.pt")
    assert shared.ema["conditioners.0.tables.type"].shape == (2, 3, 16)


def test_a_best_or_released_checkpoint_is_not_written_over_either(folder: Path) -> None:
    (folder / "run").mkdir()
    for name in ("best.pt", "release.pt"):
        (folder / "run" / name).write_text("somebody's")
        done = wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "1")
        assert "run holds a run already; give another -o" in done.output
        assert (folder / "run" / name).read_text() == "somebody's"
        (folder / "run" / name).unlink()


def test_a_checkpoint_that_is_none_is_not_gone_on_with(folder: Path) -> None:
    (folder / "run").mkdir()
    os.mkfifo(folder / "run" / "last.pt")
    done = wn_train(folder, "--resume")
    assert done.exit_code == 2
    assert "last.pt cannot be read: it is a named pipe" in done.output


def test_one_long_recording_is_a_corpus(folder: Path) -> None:
    data = folder / "data"
    for path in data.iterdir():
        path.unlink()
    soundfile.write(data / "a.wav", tone(300, 11), RATE)
    result = wn_train(folder, "--config", str(folder / "c.toml"), "--steps", "2")
    assert result.exit_code == 0, result.output
    assert "a.wav: its last 1.0 s are held back" in result.output
    assert "no conditions, 1 file\n" in result.output


def test_a_variable_that_was_not_set_is_not_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    for words in (["data", "-o", ""], ["", "-o", "run"], ["data", "-o", "run", "--config", ""]):
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 2
        assert "it is empty; name a file or a directory" in done.stderr
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (["-o", "data/0.wav"], "0.wav cannot be made: File exists; give another -o"),
        (["-o", "run", "--init", "data"], "not a file; give a checkpoint, or a run's folder with"),
    ],
)
def test_what_is_of_another_kind_is_told_with_the_fix(
    folder: Path, words: list[str], fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(main, ["data", *words])
    assert done.exit_code == 2
    assert fix in done.stderr
