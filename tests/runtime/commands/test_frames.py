"""wn-run with frames: from files, and from stdin while audio leaves."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from numpy.typing import NDArray

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import PLAIN, small_spec
from wn_runtime.commands.run import main
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.output.encoders import pcm16

HOP, CHANNELS = 200, 3
LOCAL = LocalFrames(CHANNELS, HOP, 4, (3, 3), False, "linear", 10)
AHEAD = LOCAL.ahead
FRAMES = np.random.default_rng(0).standard_normal((20, CHANNELS)).astype(np.float32)
Run = subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local")
    write_model(folder / "voice", small_spec(conditioning=(LOCAL,)))
    write_model(folder / "plain", PLAIN)
    return folder


@pytest.fixture
def here(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with models and a file of frames."""
    for name in ("voice", "plain"):
        (tmp_path / name).symlink_to(folder / name)
    np.save(tmp_path / "mel.npy", FRAMES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: object, stdin: bytes | None = None, model: str = "voice") -> Result:
    command = [model, "--engine", "onnx", *map(str, arguments)]
    if stdin is None:
        return CliRunner().invoke(main, command)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "wn_runtime.commands.run", *command],
        input=stdin,
        capture_output=True,
        check=False,
    )
    return Result(CliRunner(), done.stdout, done.stderr, b"", None, done.returncode, None)


def expected(frames: NDArray[np.float32], samples: int = 0, **other: object) -> bytes:
    """The audio of these frames, all of them by default, as 16-bit PCM."""
    stream = wn_runtime.open("voice", "onnx").stream()
    stream.push(frames, last=True)
    return pcm16(stream.read(samples or len(frames) * HOP)).tobytes()


@pytest.fixture
def streaming(here: Path) -> Iterator[Run]:
    """A run that takes frames from a pipe and gives audio to another."""
    command = ["voice", "--engine", "onnx", "--frames", "-", "--raw", "-"]
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "wn_runtime.commands.run", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def pipes(process: Run) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def exactly(pipe: IO[bytes], count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = pipe.read(count - len(data))
        assert more, f"it ended after {len(data)} of {count} bytes"
        data += more
    return data


def test_a_file_lasts_as_long_as_its_frames(here: Path) -> None:
    result = run("--frames", "mel.npy", "-o", "a.wav")
    assert result.exit_code == 0, result.output
    assert "0.50 s in" in result.stdout
    audio, rate = soundfile.read("a.wav", dtype="int16")
    assert (len(audio), rate) == (20 * HOP, 8000)
    assert audio.astype("<i2").tobytes() == expected(FRAMES)


def test_seconds_may_be_fewer_and_are_never_more(here: Path) -> None:
    assert run("--frames", "mel.npy", "--seconds", 0.1, "-o", "a.wav").exit_code == 0
    assert soundfile.info("a.wav").frames == 800
    assert run("--frames", "mel.npy", "--seconds", 60, "-o", "a.wav").exit_code == 0
    assert soundfile.info("a.wav").frames == 20 * HOP


def test_voices_of_a_batch_have_one_file_or_one_each(here: Path) -> None:
    np.save("other.npy", FRAMES[::-1].astype(np.float64))
    assert run("--batch", 2, "--frames", "mel.npy,other.npy", "-o", "a.wav").exit_code == 0
    assert run("--batch", 2, "--frames", "mel.npy", "-o", "b.wav").exit_code == 0
    with wn_runtime.open("voice", "onnx", batch=2) as model:
        for name, second in (("a", FRAMES[::-1]), ("b", FRAMES)):
            stream = model.stream()
            stream.push(np.stack([FRAMES, second], axis=1), last=True)
            audio = pcm16(stream.read(20 * HOP))
            for voice in (0, 1):
                found, _ = soundfile.read(f"{name}-{voice}.wav", dtype="int16")
                assert np.array_equal(found, audio[:, voice])


def test_audio_of_a_frame_leaves_before_more_frames_come(streaming: Run) -> None:
    given, audio = pipes(streaming)
    whole, bytes_a_frame = expected(FRAMES), 2 * HOP
    given.write(FRAMES[: AHEAD + 1].tobytes())
    assert exactly(audio, bytes_a_frame) == whole[:bytes_a_frame]
    for frame in range(1, 4):  # then a block for every frame
        given.write(FRAMES[AHEAD + frame].tobytes()[:5])
        given.write(FRAMES[AHEAD + frame].tobytes()[5:])
        found = exactly(audio, bytes_a_frame)
        assert found == whole[frame * bytes_a_frame :][:bytes_a_frame]
    given.write(FRAMES[AHEAD + 4 :].tobytes())
    given.close()
    assert exactly(audio, 16 * bytes_a_frame) == whole[4 * bytes_a_frame :]
    assert audio.read() == b""
    assert streaming.wait(timeout=60) == 0


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_frames_that_stop_coming_are_waited_for_until_it_is_stopped(
    streaming: Run, name: str, code: int
) -> None:
    given, audio = pipes(streaming)
    given.write(FRAMES[: AHEAD + 2].tobytes())
    exactly(audio, 4 * HOP)
    with pytest.raises(subprocess.TimeoutExpired):
        streaming.wait(timeout=0.3)
    streaming.send_signal(getattr(signal, name))
    assert streaming.wait(timeout=60) == code
    assert streaming.stderr is not None
    said = streaming.stderr.read().decode()
    assert "Traceback" not in said
    assert "0.05 s in" in said


def test_stdin_into_a_file_ends_as_the_frames_do(here: Path) -> None:
    result = run("--frames", "-", "-o", "a.wav", stdin=FRAMES.tobytes())
    assert result.exit_code == 0, result.stderr
    audio, _ = soundfile.read("a.wav", dtype="int16")
    assert audio.tobytes() == expected(FRAMES)
    result = run("--frames", "-", "--seconds", "0.03", "--raw", "-", stdin=FRAMES.tobytes())
    assert result.stdout_bytes == expected(FRAMES, 240)


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (
            FRAMES.tobytes()[:-5],
            r"stdin ended within frame 19, after 7 of its 12 bytes \(3 float32 numbers\); the "
            "audio of those before it is kept",
        ),
        (
            np.where(np.arange(20)[:, None] == 19, np.nan, FRAMES).astype("<f4").tobytes(),
            "frame 19 on stdin holds NaN or infinity; the audio of those before it is kept",
        ),
    ],
)
def test_what_came_before_a_fault_is_kept(here: Path, spoilt: bytes, message: str) -> None:
    result = run("--frames", "-", "-o", "a.wav", stdin=spoilt)
    assert result.exit_code == 2
    assert re.fullmatch(f"error: {message}\n", result.stderr), result.stderr
    audio, _ = soundfile.read("a.wav", dtype="int16")
    assert audio.tobytes() == expected(FRAMES[:19])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "this model takes frames of 3 channels, one every 200 samples; give --frames FILE.npy, "
            "or --frames - and raw float32 on stdin",
        ),
        (["--frames", "none.npy"], "none.npy does not exist; give a .npy file of frames"),
        (["--frames", "wide.npy"], "wide.npy has 4 channels; this model takes 3"),
        (
            ["--frames", "nan.npy"],
            "nan.npy cannot be read as frames: frame 7 holds NaN or infinity",
        ),
        (["--frames", "text.npy"], "text.npy cannot be read as frames: it is no array that .*"),
        (["--frames", "voice"], "voice cannot be read as frames: it is a directory, not a file"),
        (["--frames", "mel.npy,mel.npy"], "mel.npy,mel.npy does not exist; .*"),
        (
            ["--frames", "mel.npy,mel.npy,mel.npy", "--batch", "2"],
            "--frames names 3 files for 2 voices; give one for all, or one a voice: a.npy,b.npy",
        ),
        (
            ["--frames", "mel.npy,short.npy", "--batch", "2"],
            "mel.npy has 20 frames, short.npy 9; voices side by side take files of one length",
        ),
    ],
)
def test_a_mistake_is_one_line_and_the_old_audio_stays(
    here: Path, arguments: list[str], message: str
) -> None:
    np.save("wide.npy", np.zeros((9, 4)))
    np.save("short.npy", FRAMES[:9])
    np.save("nan.npy", np.where(np.arange(20)[:, None] == 7, np.nan, FRAMES))
    Path("text.npy").write_text("frames")
    Path("a.wav").write_bytes(b"precious")
    before = sorted(here.iterdir())
    result = run(*arguments, "-o", "a.wav")
    assert result.exit_code == 2
    assert re.fullmatch(f"error: {message}\n", result.stderr), result.stderr
    assert (sorted(here.iterdir()), Path("a.wav").read_bytes()) == (before, b"precious")


def test_a_model_without_frames_takes_none(here: Path) -> None:
    result = run("--frames", "mel.npy", model="plain")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: this model takes no frames; leave --frames out\n",
    )


@pytest.mark.parametrize("close", [False, True])
def test_no_frame_at_all_is_one_line(here: Path, close: bool) -> None:
    Path("a.wav").write_bytes(b"precious")
    command = [sys.executable, "-m", "wn_runtime.commands.run", "voice", "--frames", "-"]
    done = subprocess.run(
        ["sh", "-c", f'"$@" {"<&-" if close else "</dev/null"}', "sh", *command, "-o", "a.wav"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "error: no frame came on stdin; write rows of 3 float32 numbers to it\n" in done.stderr
    assert Path("a.wav").read_bytes() == b"precious"
