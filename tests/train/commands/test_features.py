"""wn-features: a folder that wn-train takes, from one without frames; and what it refuses."""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from tests.train.recordings import RATE, tone, write_corpus
from tests.train.speech.labelled import write_spoken
from wn_runtime import installation
from wn_runtime.features.features import Features
from wn_runtime.model import strict
from wn_train import checkpoint
from wn_train.commands import train as training
from wn_train.commands.features import main
from wn_train.data import decoding

SETTINGS = """
[model]
cycle = 2
layers = 2
residual_channels = 4
skip_channels = 4
head_channels = 4
[model.frames]
hidden = 4
[data]
chunk_seconds = 0.01
[training]
batch_samples = 1500
validate_every = 1
sample_every = 0
"""


def run(data: Path, output: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [str(data), "-o", str(output), *arguments])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "data")


def test_it_makes_a_folder_that_trains(data: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    out = tmp_path / "framed"
    result = run(data, out, "--mel", "5", "--level", "--hop", "40", "--window", "160")
    assert result.exit_code == 0, result.output
    *_, done, following = result.stdout.splitlines()
    assert done.startswith("6 recordings, 6 columns every 40 samples")
    assert following.startswith(
        f"next     wn-train {out} -o RUN --config FILE.toml, with a table [m"
    )
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before

    with (out / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["split"] for row in rows] == ["train"] * 4 + ["valid"] * 2
    assert [row["speaker"] for row in rows] == ["low", "high"] * 3
    features = Features(RATE, 40, 160, mel=5, level=True)
    for i, row in enumerate(rows):
        audio, _ = soundfile.read(out / row["file"], dtype="float32")
        np.testing.assert_array_equal(np.load(out / row["frames"]), features.extract(audio))
        assert row["frames"] == f"frames/{i}.npy"
    said = json.loads((out / "features.json").read_text())
    assert said["columns"] == [*(f"mel {band}" for band in range(5)), "level"]
    assert (said["hop"], said["window"], said["sample_rate"]) == (40, 160, RATE)

    (tmp_path / "c.toml").write_text(SETTINGS)
    arguments = [out, "-o", tmp_path / "run", "--config", tmp_path / "c.toml", "--steps", "1"]
    trained = CliRunner().invoke(training.main, [*map(str, arguments), "--threads", "1"])
    assert trained.exit_code == 0, trained.output
    assert "frames of 6 channels every 40 samples" in trained.output
    best = checkpoint.load(tmp_path / "run" / "best.pt")
    assert best.config["features"] == strict.plain(features)


def test_folders_of_speakers_keep_their_names(tmp_path: Path) -> None:
    for speaker in ("ann", "bob"):
        (tmp_path / "data" / speaker).mkdir(parents=True)
        for i in range(2):
            soundfile.write(tmp_path / "data" / speaker / f"{i}.wav", tone(300, 0.05), RATE)
    result = run(tmp_path / "data", tmp_path / "out", "--level")
    assert result.exit_code == 0, result.output
    found = sorted(path.relative_to(tmp_path / "out") for path in tmp_path.glob("out/**/*.npy"))
    assert [str(path) for path in found] == [
        f"frames/{speaker}/{i}.npy" for speaker in ("ann", "bob") for i in range(2)
    ]


def test_another_sample_rate_is_resampled(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("soxr")
    assert run(data, tmp_path / "out", "--level", "--sample-rate", "16000").exit_code == 0
    frames = np.load(tmp_path / "out" / "frames" / "0.npy")
    assert len(frames) == -(-round(0.05 * 16000) // 160)


def test_of_several_rates_it_takes_the_one_that_training_does(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("soxr")
    soundfile.write(data / "0.wav", tone(300, 0.05, 16000), 16000)
    result = run(data, tmp_path / "out", "--level")
    assert result.exit_code == 0, result.output
    assert f"1 file of 16000 Hz: resampled to {RATE} Hz" in result.stderr
    said = json.loads((tmp_path / "out" / "features.json").read_text())
    assert said["sample_rate"] == RATE


def test_every_header_is_read_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    header = decoding.header

    def counted(path: Path) -> decoding.Header:
        read.append(path)
        return header(path)

    monkeypatch.setattr(decoding, "header", counted)
    assert run(data, tmp_path / "out", "--level").exit_code == 0
    assert len(read) == len(set(read)) == 6


def test_where_nothing_resamples_no_file_is_called_faulty(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    for name in ("0.wav", "1.wav"):
        soundfile.write(data / name, tone(300, 0.05, 16000), 16000)
    result = run(data, tmp_path / "out", "--level", "--sample-rate", str(RATE))
    assert result.exit_code == 2
    assert result.stderr == (
        f"error: sound of 16000 Hz is wanted at {RATE} Hz, and soxr is not installed; convert it, "
        f"or {installation.pip('soxr')}\n"
    )


def test_it_can_be_run_again(data: Path, tmp_path: Path) -> None:
    assert run(data, tmp_path / "out", "--mel", "5").exit_code == 0
    assert run(data, tmp_path / "out", "--mel", "7").exit_code == 0
    assert np.load(tmp_path / "out" / "frames" / "0.npy").shape[1] == 7


def test_pitch_and_pictures(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyworld")
    voice = sum((tone(300 * k, 0.5) / k for k in range(1, 5)), start=np.zeros(1))
    soundfile.write(data / "0.wav", voice / 4, RATE)
    result = run(data, tmp_path / "out", "--mel", "5", "--level", "--pitch", "--plot", "2")
    assert result.exit_code == 0, result.output
    pictures = sorted((tmp_path / "out" / "plots").iterdir())
    assert [path.name for path in pictures] == ["0.png", "1.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    low = np.load(tmp_path / "out" / "frames" / "0.npy")
    assert np.exp(np.median(low[:, -2])) == pytest.approx(300, rel=0.02)


def test_silence_is_counted(data: Path, tmp_path: Path) -> None:
    soundfile.write(data / "0.wav", np.zeros(400), RATE)
    result = run(data, tmp_path / "out", "--level")
    assert result.exit_code == 0
    assert "note: silent recordings: 1;" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "there is nothing to extract: mel bands, level, pitch or phones"),
        (["--mel", "-3"], "bands is -3; it must be 1 to 1024"),
        (["--mel", "4", "--hop", "0"], "hop is 0; it must be 1 to 16384 samples"),
        (["--mel", "4", "--hop", "100000000"], "hop is 100000000; it must be 1 to 16384 samples"),
        (["--mel", "4", "--hop", "0", "--window", "9"], "hop is 0; it must be 1 to the window's 9"),
        (["--mel", "4", "--dictionary", "none"], "are for what is said; give --text"),
        (["--mel", "4", "--labels", "lab", "--all-words"], "are for what is said; give --text"),
        (["--mel", "4", "--text", ""], "the column of what is said has no name; give --text COL"),
        (["--level", "--low", "50"], "--low has no effect without --mel"),
        (["--level", "--pitch-range", "60", "500"], "--pitch-range has no effect without --pitch"),
        (["--mel", "4", "--high", "5000"], "bands lie from 0 to 5000 Hz"),
        (["--mel", "4", "--low", "nan"], "bands lie from nan"),
        (["--pitch", "--pitch-range", "300", "100"], "pitch lies from 300 to 100 Hz"),
        (["--mel", "4", "--sample-rate", "0"], "sample_rate is 0"),
    ],
)
def test_what_cannot_be_asked_for_is_one_line(
    data: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = run(data, tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_faulty_recording_is_named_and_others_counted(data: Path, tmp_path: Path) -> None:
    for name in ("2.wav", "4.wav"):
        (data / name).write_bytes((data / name).read_bytes()[:100])
    result = run(data, tmp_path / "out", "--level")
    assert result.exit_code == 2
    assert "2.wav: truncated" in result.stderr
    assert "(and 1 more files at fault)" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_of_the_users_is_not_written_into(data: Path) -> None:
    before = sorted(os.listdir(data))  # noqa: PTH208 (names)
    result = run(data, data, "--level")
    assert result.exit_code == 2
    assert "which wn-features did not write; give another -o" in result.stderr
    assert sorted(os.listdir(data)) == before  # noqa: PTH208


def test_a_fault_on_the_way_leaves_the_older_folder(data: Path, tmp_path: Path) -> None:
    assert run(data, tmp_path / "out", "--mel", "5").exit_code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    noise = np.full(500, np.nan, np.float32)
    soundfile.write(data / "5.wav", noise, RATE, "FLOAT")  # its head is right
    result = run(data, tmp_path / "out", "--mel", "7")
    assert result.exit_code == 2
    assert "5.wav: holds NaN or infinity; mend or remove it, nothing was written" in result.stderr
    after = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert after == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def test_what_a_killed_run_left_is_cleared(data: Path, tmp_path: Path) -> None:
    (tmp_path / ".out.0123abcd.part").mkdir()
    assert run(data, tmp_path / "out", "--level").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def test_two_recordings_of_one_name_are_told(data: Path, tmp_path: Path) -> None:
    soundfile.write(data / "0.flac", tone(300, 0.05), RATE)
    table = data / "metadata.csv"
    table.write_text(table.read_text() + "0.flac,low,train\n")
    result = run(data, tmp_path / "out", "--level")
    assert result.exit_code == 2
    assert "two recordings called '0'" in result.stderr


def test_of_frames_with_phones_the_next_step_names_both_tables(tmp_path: Path) -> None:
    data = write_spoken(tmp_path / "data")
    spoken = ["--text", "text", "--labels", str(data / "labels")]
    spoken += ["--dictionary", str(data / "words.txt")]
    result = run(data, tmp_path / "out", "--mel", "4", *spoken)
    assert result.exit_code == 0, result.output
    assert "with tables [model.frames] and [speech] in FILE.toml" in result.stdout
