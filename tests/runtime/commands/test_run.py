"""wn-run: audio where it was asked for, one line about it, and one line for every mistake."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, PLAIN
from wn_runtime import installation
from wn_runtime.commands.run import main
from wn_runtime.model import manifest as manifests
from wn_runtime.output.encoders import pcm16

SPEC = CORNERS["two_conditions"]
LINE = re.compile(
    r"onnx fp32, 1 thread · 8 kHz · (?P<made>.*) in [\d.]+ s · [\d.]+× real time · "
    r"first audio \d+ ms → (?P<where>.*)\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a model in it."""
    write_model(tmp_path / "voice", SPEC, ("fp32", "fp16"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["voice", "--engine", "onnx", *map(str, arguments)])


def said(text: str) -> re.Match[str]:
    """The one line about the audio."""
    match = LINE.fullmatch(text)
    assert match is not None, text
    return match


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "wn_runtime.commands.run", "voice", *arguments]


def test_it_writes_a_file_and_says_how(here: Path) -> None:
    result = run("--speaker", "eve", "--set", "mood=calm+loud", "--seconds", 0.5, "-o", "eve.wav")
    assert result.exit_code == 0, result.output
    assert said(result.stdout)["made"] == "0.50 s"
    assert said(result.stdout)["where"] == "eve.wav"
    assert result.stderr == ""
    audio, rate = soundfile.read("eve.wav", dtype="int16")
    stream = wn_runtime.open("voice", "onnx").stream(speaker="eve", mood="calm+loud")
    assert rate == 8000
    assert np.array_equal(audio, pcm16(stream.read(4000))[:, 0])


def test_without_a_place_the_file_has_the_models_name(here: Path) -> None:
    result = run("--seconds", 0.1)
    assert said(result.stdout)["where"] == "voice.wav"
    assert soundfile.info("voice.wav").frames == 800


def test_conditions_left_out_are_mentioned_once(here: Path) -> None:
    result = run("--seconds", 0.1, "--speaker", 0)
    assert (
        result.stderr == "note: no mood given, so none is conditioned on; --tag takes: calm, loud\n"
    )


def test_a_batch_is_one_file_a_voice(here: Path) -> None:
    result = run("--seconds", 0.1, "--batch", 2, "--speaker", "ann,eve", "-o", "both.flac")
    assert result.exit_code == 0, result.output
    assert said(result.stdout)["made"] == "2 × 0.10 s"
    assert said(result.stdout)["where"] == "both-0.flac … both-1.flac"
    expected = wn_runtime.open("voice", "onnx", batch=2).stream(speaker=["ann", "eve"]).read(800)
    for voice in (0, 1):
        audio, _ = soundfile.read(f"both-{voice}.flac", dtype="int16")
        assert np.array_equal(audio, pcm16(expected[:, voice]))


@pytest.mark.parametrize("option", ["--raw", "-o"])
def test_stdout_carries_audio_and_nothing_else(here: Path, option: str) -> None:
    result = run("--seconds", 0.25, "--speaker", "bob", option, "-")
    expected = pcm16(wn_runtime.open("voice", "onnx").stream(speaker="bob").read(2000))
    assert result.stdout_bytes == expected.tobytes()
    assert "→ stdout" in result.stderr
    assert files(here) == ["voice"]


def test_raw_goes_to_a_file_too(here: Path) -> None:
    assert run("--seconds", 0.25, "--raw", "a.pcm").exit_code == 0
    assert (here / "a.pcm").stat().st_size == 4000


@pytest.mark.parametrize("option", ["-o", "--raw"])
def test_a_file_that_may_not_be_written_is_said_to_be(
    here: Path, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    may = os.access
    for name in ("a.wav", "a.raw"):
        (here / name).write_bytes(b"old")
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path).name[:2] != "a." and may(path, mode)
    )
    name = "a.wav" if option == "-o" else "a.raw"
    result = run("--seconds", 0.1, option, name)
    assert result.exit_code == 2
    assert result.stderr == (
        f"error: {name} cannot be written: it is read-only; give another place\n"
    )


@pytest.mark.parametrize(
    ("name", "old"), [("a.pcm", b"old"), ("a.RAW", b"old"), ("a.s16", b"old"), ("tmp.X8a", b"")]
)
def test_raw_replaces_what_is_called_raw_or_empty(here: Path, name: str, old: bytes) -> None:
    """As mktemp makes one, for a script."""
    (here / name).write_bytes(old)
    assert run("--seconds", 0.25, "--raw", name).exit_code == 0
    assert (here / name).stat().st_size == 4000


@pytest.mark.parametrize(
    ("name", "batch", "fault"),
    [
        ("voice/weights.safetensors", 1, "is a file of the model .*/voice; give another name"),
        ("voice/manifest.json", 1, "is a file of the model .*/voice; give another name"),
        ("best.pt", 1, "is there, and may be other than raw PCM; delete it first, or .*or .s16"),
        ("take-1.wav", 2, "is there, and may be other than raw PCM; .*"),
    ],
)
def test_raw_replaces_nothing_else(here: Path, name: str, batch: int, fault: str) -> None:
    if not (here / name).exists():
        (here / name).write_bytes(b"old")
    before, asked = (here / name).read_bytes(), name.replace("-1", "")
    result = run("--seconds", 0.1, "--batch", batch, "--raw", asked)
    assert result.exit_code == 2
    assert re.fullmatch(f"error: {name} {fault}\n", result.stderr), result.stderr
    assert (here / name).read_bytes() == before
    assert len(files(here)) == (1 if name.startswith("voice") else 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--speaker", "bbo"], r"speaker 'bbo' is unknown; .*\(did you mean 'bob'\?\)"),
        (["--speaker", "7"], "speaker index 7 is out of range; this model has 3: 0 to 2"),
        (["--speaker", ""], "--speaker is empty; name one, as in --speaker theo, or leave it out"),
        (["--speaker", "ann,bob"], "speaker has 2 values for 1 streams; .*"),
        (["--set", "accent=x"], "condition 'accent' is unknown; this model has: speaker, mood"),
        (["--set", "speaker"], "--set speaker is not NAME=VALUE, as in --set digit=7"),
        (["--set", "speaker="], "--set speaker= is not NAME=VALUE, .*"),
        (["--speaker", "ann", "--set", "speaker=bob"], "speaker is given twice; .*"),
        (["--seconds", "0"], "seconds is 0; it must be more than 0 .*"),
        (["--seconds", "-3"], "seconds is -3; it must be more than 0 .*"),
        (["--seconds", "nan"], "seconds is nan; it must be more than 0 .*"),
        (["--seconds", "soon"], "Invalid value for '--seconds': 'soon' is not a valid float.*"),
        (["--temperature", "-1"], "temperature is -1; .*"),
        (["--batch", "0"], "batch is 0; it must be at least 1"),
        (["--threads", "0"], "threads is 0; it must be at least 1"),
        (["--engine", "onxx"], r"engine 'onxx' is unknown; .*\(did you mean 'onnx'\?\)"),
        (["--precision", "fp8"], "the onnx engine has no fp8; its precisions are fp32, fp16"),
        (["-o", "a.mp3"], r"audio suffix '.mp3' is unknown; known are: .wav, .flac"),
        (["-o", "no/where/a.wav"], r"no/where/a.wav: there is no directory no/where; .*"),
        (["-o", "voice"], "audio suffix 'voice' is unknown; .*"),
        (["-o", "/proc/a.wav"], r"/proc/a.wav cannot be written \(.*\); nothing was kept"),
        (["-o", "a.wav", "--raw", "a.wav"], "-o and --raw are both a.wav; give each a place .*"),
        (["-o", "-", "--raw", "-"], "-o and --raw are both -; give each a place of its own"),
        (["--sped", "2"], "No such option.*--sped.*"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    here: Path, arguments: list[str], message: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.fullmatch(f"error: {message}\n", result.stderr), result.stderr
    assert files(here) == ["voice"]


def test_a_model_without_conditions_has_no_speaker(tmp_path: Path) -> None:
    write_model(tmp_path / "voice", PLAIN)
    result = CliRunner().invoke(main, [str(tmp_path / "voice"), "--speaker", "3", "-o", "-"])
    assert result.exit_code == 2
    assert "condition 'speaker' is unknown; this model has: none" in result.stderr


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda voice: (voice / "step.onnx").unlink(), "step.onnx cannot be read"),
        (lambda voice: (voice / "step.onnx").write_bytes(b"x"), "step.onnx has 1 bytes"),
        (lambda voice: (voice / manifests.MANIFEST).unlink(), "is not a model directory"),
        (
            lambda voice: (voice / manifests.MANIFEST).write_text("{"),
            "manifest.json cannot be read",
        ),
        (lambda voice: (voice / manifests.MANIFEST).write_text('{"format": 99}'), "has format 99"),
        (lambda voice: (voice / manifests.WEIGHTS).write_bytes(b"x"), "weights.safetensors has 1 "),
    ],
)
def test_a_broken_model_is_one_line_and_the_old_audio_stays(
    here: Path, fault: Callable[[Path], object], message: str
) -> None:
    (here / "a.wav").write_bytes(b"precious")
    fault(here / "voice")
    result = run("--speaker", "ann", "-o", "a.wav")
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert (here / "a.wav").read_bytes() == b"precious"
    assert files(here) == ["a.wav", "voice"]


def test_debug_shows_where_it_went_wrong(here: Path) -> None:
    result = run("--speaker", "bbo", "--debug")
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: speaker 'bbo' is unknown")


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_stopping_an_endless_run_leaves_a_valid_file(here: Path, name: str, code: int) -> None:
    with subprocess.Popen(
        command("--engine", "onnx", "--seconds", "inf", "-o", "a.wav"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not any(part.stat().st_size > 1000 for part in here.glob(".a.wav.*.part.wav")):
                assert time.monotonic() < deadline, "no audio came"
                time.sleep(0.01)
            process.send_signal(getattr(signal, name))
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == code, err
    assert said(out)["where"] == "a.wav"
    assert "Traceback" not in err
    with wave.open("a.wav") as file:
        assert file.getnframes() > 400
        made = file.getnframes()
    assert files(here) == ["a.wav", "voice"]
    audio, _ = soundfile.read("a.wav", dtype="int16")
    expected = pcm16(wn_runtime.open("voice", "onnx").stream().read(made))
    assert np.array_equal(audio, expected[:, 0])


def test_a_pipe_that_closes_early_is_quiet(here: Path) -> None:
    process = subprocess.Popen(
        command("--engine", "onnx", "--seconds", "inf", "--raw", "-"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert len(process.stdout.read(2000)) == 2000
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    error = process.stderr.read().decode()
    process.stderr.close()
    assert all(line.startswith("note: ") for line in error.splitlines()), error


def test_without_onnxruntime_the_engine_named_is_an_error(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    result = run("--seconds", 0.1)
    assert result.exit_code == 2
    assert installation.install("onnx") in result.stderr


def test_a_file_and_a_pipe_get_the_same(here: Path) -> None:
    result = run("--seconds", 0.25, "--speaker", "bob", "-o", "a.wav", "--raw", "-")
    assert result.exit_code == 0, result.output
    audio, _ = soundfile.read("a.wav", dtype="int16")
    assert result.stdout_bytes == audio.astype("<i2").tobytes()
    assert "→ a.wav and stdout" in result.stderr


def test_where_the_reader_leaves_the_file_is_kept(here: Path) -> None:
    with subprocess.Popen(
        command("--engine", "onnx", "--seconds", "60", "-o", "a.wav", "--raw", "-"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=False,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert len(process.stdout.read(800)) == 800
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait(60) == 141
    assert 400 <= soundfile.info("a.wav").frames < 480_000
    assert "→ a.wav and stdout" in said


def test_one_of_several_places_that_cannot_be_opened_leaves_none(here: Path) -> None:
    result = run("--seconds", 0.1, "-o", "a.wav", "--raw", "none/a.pcm")
    assert result.exit_code == 2
    assert "there is no directory none" in result.stderr
    assert files(here) == ["voice"]
