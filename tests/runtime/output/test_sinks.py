"""Audio on disk is whole or absent, and what was there before is never lost."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from wn_runtime.commands.command import Stopped
from wn_runtime.errors import WavestepError
from wn_runtime.output.encoders import pcm16
from wn_runtime.output.sinks import Files, FileSink, PipeSink, Sink, finishing, write

RATE = 8000
AUDIO = (np.random.default_rng(0).uniform(-1, 1, (1000, 1))).astype(np.float32)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def record(sink: Sink, blocks: int, end: BaseException | None = None) -> None:
    """Write AUDIO so many times, then come to `end`."""
    with finishing(sink):
        for _ in range(blocks):
            sink.write(AUDIO)
        if end is not None:
            raise end


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.WAV"])
def test_a_file_holds_the_samples_in_16_bits(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, (AUDIO[i : i + 300] for i in range(0, 1000, 300)), RATE)
    found, rate = soundfile.read(tmp_path / name, dtype="int16")
    assert rate == RATE
    assert np.array_equal(found, pcm16(AUDIO)[:, 0])
    assert files(tmp_path) == [name]


def test_pcm_rounds_and_clips() -> None:
    found = pcm16(np.array([-2, -1, 0, 0.5, 1, 2], np.float32))
    assert found.tolist() == [-32767, -32767, 0, 16384, 32767, 32767]


def test_the_header_is_right_after_every_block(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "a.wav", RATE)
    for made in (100, 200, 300):
        sink.write(AUDIO[:100])
        (part,) = tmp_path.glob(".a.wav.*.part.wav")
        with wave.open(str(part)) as file:
            assert file.getnframes() == made
    sink.close()


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.parametrize("blocks", [0, 2])
@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), Stopped(signal.SIGTERM)])
def test_an_interruption_keeps_what_was_made(
    tmp_path: Path, name: str, blocks: int, interruption: KeyboardInterrupt
) -> None:
    with pytest.raises(type(interruption)):
        record(FileSink(tmp_path / name, RATE), blocks, interruption)
    assert files(tmp_path) == ([name] if blocks else [])
    if blocks:
        assert soundfile.info(tmp_path / name).frames == blocks * len(AUDIO)


def test_an_error_leaves_nothing_and_the_old_file_alone(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"precious")
    with pytest.raises(ZeroDivisionError):
        record(FileSink(tmp_path / "a.wav", RATE), 1, ZeroDivisionError())
    assert files(tmp_path) == ["a.wav"]
    assert (tmp_path / "a.wav").read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.raw"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, name: str) -> None:
    """With a real limit of the file system: 20 kB a file."""
    script = (
        "import resource, sys, numpy as np\n"
        "from wn_runtime.output.sinks import FileSink, finishing\n"
        "from wn_runtime.errors import WavestepError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "noise = np.random.default_rng(0).uniform(-1, 1, (4000, 1)).astype(np.float32)\n"
        "try:\n"
        "    sink = FileSink(sys.argv[1], 8000, raw=sys.argv[1].endswith('raw'))\n"
        "    with finishing(sink):\n"
        "        for _ in range(50): sink.write(noise)\n"
        "except WavestepError as error: print(error)\n"
    )
    (tmp_path / name).write_bytes(b"precious")
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{name} cannot be written" in process.stdout
    assert "nothing was kept" in process.stdout
    assert process.stderr == ""
    assert files(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == b"precious"


def test_a_wav_that_is_full_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = FileSink(tmp_path / "a.wav", RATE)
    monkeypatch.setattr(sink._encoder, "limit", 2500)
    with pytest.raises(WavestepError, match=r"full after 2000 samples, which were kept.*\.flac"):
        record(sink, 3)
    assert soundfile.info(tmp_path / "a.wav").frames == 2000


def test_a_link_goes_on_leading_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/a.wav").write_bytes(b"old")
    (tmp_path / "a.wav").symlink_to(tmp_path / "there/a.wav")
    write(tmp_path / "a.wav", AUDIO, RATE)
    assert (tmp_path / "a.wav").is_symlink()
    assert soundfile.info(tmp_path / "there/a.wav").frames == len(AUDIO)


def test_flac_has_not_all_rates_that_a_model_may_have(tmp_path: Path) -> None:
    for rate in (65_535, 65_540, 655_350):
        write(tmp_path / "a.flac", AUDIO, rate)
    for rate, said in ((65_536, "65,536"), (96_001, "96,001"), (655_360, "655,360")):
        with pytest.raises(WavestepError, match=f"in tens, 655,350 Hz; this is {said} Hz: name i"):
            write(tmp_path / "b.flac", AUDIO, rate)
        write(tmp_path / "b.wav", AUDIO, rate)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.flac", "b.wav"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a.mp3", r"audio suffix '.mp3' is unknown; known are: .wav, .flac"),
        ("a", "audio suffix 'a' is unknown"),
        ("missing/a.wav", "there is no directory .*missing; make it first"),
        ("folder.wav", "folder.wav is not a regular file"),
        ("pipe.wav", "pipe.wav is not a regular file"),
        ("/proc/a.wav", r"/proc/a.wav cannot be written \(No such file or directory\)"),
    ],
)
def test_a_place_that_takes_no_file_is_an_error(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(WavestepError, match=message):
        FileSink(tmp_path / path, RATE)
    assert files(tmp_path) == ["folder.wav", "pipe.wav"]


def test_a_rate_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match="sample_rate is 0; it must be at least 1"):
        write(tmp_path / "a.wav", np.zeros(3, np.float32), 0)
    assert files(tmp_path) == []


def test_a_read_only_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.wav").write_bytes(b"precious")
    (tmp_path / "a.wav").chmod(0o444)
    if os.access(tmp_path / "a.wav", os.W_OK):  # root may write everywhere
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path) == tmp_path)
    with pytest.raises(WavestepError, match="it is read-only"):
        FileSink(tmp_path / "a.wav", RATE)
    assert (tmp_path / "a.wav").read_bytes() == b"precious"


def test_every_voice_has_its_file_or_none_has(tmp_path: Path) -> None:
    voices = np.concatenate([AUDIO, AUDIO / 2], axis=1)
    paths = [tmp_path / "a-0.wav", tmp_path / "a-1.wav"]
    with finishing(Files(lambda path: FileSink(path, RATE), paths)) as sink:
        sink.write(voices)
    for voice, path in enumerate(paths):
        found, _ = soundfile.read(path, dtype="int16")
        assert np.array_equal(found, pcm16(voices[:, voice]))
    (tmp_path / "other").mkdir()
    with pytest.raises(WavestepError, match=r"\.mp3"):
        Files(
            lambda path: FileSink(path, RATE),
            [tmp_path / "other/b-0.wav", tmp_path / "other/b-1.mp3"],
        )
    assert files(tmp_path / "other") == []


def test_more_than_one_voice_does_not_fit_one_file(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match=r"takes one voice, .* the audio is \(10, 2\)"):
        write(tmp_path / "a.wav", np.zeros((10, 2), np.float32), RATE)
    assert files(tmp_path) == []


def test_a_pipe_gets_interleaved_samples_and_nothing_else() -> None:
    pipe = io.BytesIO()
    with finishing(PipeSink(pipe)) as sink:
        sink.write(np.array([[0, 1], [-1, 0]], np.float32))
    assert np.frombuffer(pipe.getvalue(), "<i2").tolist() == [0, 32767, -32767, 0]
