"""The pre-flight check: every fault names its file, every conversion is said once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.train.models import Amplitudes
from tests.train.recordings import RATE, tone, write_corpus
from wn_runtime.errors import WavestepError
from wn_runtime.heads import mulaw
from wn_runtime.heads.softmax import Softmax
from wn_train.data import audio, corpus, decoding


def load(
    folder: Path, rate: int = 0, classes: int = 256
) -> tuple[int, list[audio.Utterance], list[str]]:
    """The rate in Hz, the utterances, and what was said."""
    said: list[str] = []
    head = Softmax(classes)
    return *audio.load(corpus.read(folder), rate, head, said.append), said


def test_files_become_classes_at_their_own_rate(tmp_path: Path) -> None:
    rate, utterances, said = load(write_corpus(tmp_path))
    assert (rate, said) == (RATE, [])
    stored, _ = soundfile.read(tmp_path / "0.wav")
    assert np.array_equal(utterances[0].samples, mulaw.encode(stored))
    assert utterances[0].samples.dtype == np.uint8


def test_other_rates_and_stereo_are_converted_and_said_once(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path)
    soundfile.write(folder / "0.wav", np.stack([tone(500, 0.5, 16000)] * 2, axis=1), 16000)
    soundfile.write(folder / "1.wav", tone(500, 0.5, 16000), 16000, format="FLAC")
    rate, utterances, said = load(folder)
    assert rate == RATE
    assert said == [
        "1 file of several channels: mixed to mono",
        "2 files of 16000 Hz: resampled to 8000 Hz",
    ]
    spectrum = np.abs(np.fft.rfft(mulaw.decode(utterances[0].samples)))
    assert len(utterances[0].samples) == 4000
    assert np.argmax(spectrum) == 250  # 500 Hz in half a second


def test_a_recording_is_made_louder_by_its_gain_and_cut_at_full_scale(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path)
    lines = (folder / "metadata.csv").read_text().splitlines()
    gains = ["gain", "-6", "20", "", "0", "3", "0"]
    (folder / "metadata.csv").write_text(
        "".join(f"{line},{gain}\n" for line, gain in zip(lines, gains, strict=True))
    )
    found = corpus.read(folder)
    assert [c.name for c in found.conditions] == ["speaker"], "a gain is no condition"
    _, utterances, _ = load(folder)
    stored = [soundfile.read(folder / f"{i}.wav")[0] for i in range(3)]
    quieter = mulaw.encode(stored[0] * 10 ** (-6 / 20))
    assert np.array_equal(utterances[0].samples, quieter)
    assert np.array_equal(utterances[1].samples, mulaw.encode(np.clip(stored[1] * 10, -1, 1)))
    assert np.array_equal(utterances[2].samples, mulaw.encode(stored[2]))


def test_more_than_256_classes_keep_their_precision(tmp_path: Path) -> None:
    _, utterances, _ = load(write_corpus(tmp_path), classes=1024)
    assert utterances[0].samples.max() > 255
    assert utterances[0].samples.dtype == np.uint16


def test_clipped_files_are_named_and_kept(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path)
    soundfile.write(folder / "2.wav", np.clip(4 * tone(300, 0.05), -1, 1), RATE)
    _, utterances, said = load(folder)
    assert len(utterances) == 6
    assert len(said) == 1
    assert "2.wav" in said[0]


def replaced(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Something else in the place of a file."""

    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


def claiming_frames(frames: int) -> Callable[[Path], object]:
    """A FLAC file whose header has another number of frames."""

    def change(path: Path) -> None:
        soundfile.write(path, tone(300, 0.05), RATE, format="FLAC")
        data = bytearray(path.read_bytes())
        data[21] = data[21] & 0xF0 | frames >> 32  # STREAMINFO: 36 bits from the middle of byte 21
        data[22:26] = (frames & 0xFFFFFFFF).to_bytes(4, "big")
        path.write_bytes(data)

    return change


@pytest.mark.parametrize("size", [0, 0x7FFFF024, 0xFFFFFFFF])
def test_a_wav_recorded_into_a_pipe_does_not_know_its_size(tmp_path: Path, size: int) -> None:
    folder = write_corpus(tmp_path)
    data = bytearray((folder / "3.wav").read_bytes())
    data[4:8] = size.to_bytes(4, "little")
    (folder / "3.wav").write_bytes(data)
    assert len(load(folder)[1]) == len(corpus.read(folder).recordings)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "3.wav: file is missing"),
        (
            lambda path: path.write_bytes(b"RIFF"),
            r"3.wav: not readable as audio \(Format not recognised\)",
        ),
        (lambda path: path.write_bytes(b""), "3.wav: empty"),
        (lambda path: soundfile.write(path, np.zeros(0), RATE), "3.wav: empty"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "3.wav: truncated"),
        (
            lambda path: soundfile.write(path, np.array([0, np.nan]), RATE, subtype="FLOAT"),
            "3.wav: holds NaN",
        ),
        (replaced(os.mkfifo), r"3.wav: not readable as audio \(it is a named pipe, not a file\)"),
        (replaced(os.mkdir), r"3.wav: not readable as audio \(it is a directory, not a file\)"),
        (replaced(lambda path: path.symlink_to("/dev/zero")), r"3.wav: .*\(it is a device"),
        (replaced(lambda path: path.symlink_to("3.wav")), r"3.wav: not readable as audio \("),
        (claiming_frames(2**35), "the recordings need .* GiB of memory by what their headers say"),
        (claiming_frames(900), "3.wav: (truncated|not readable as audio)"),
    ],
)
def test_one_broken_file_is_named_before_training(
    tmp_path: Path, spoil: Callable[[Path], object], message: str
) -> None:
    folder = write_corpus(tmp_path)
    spoil(folder / "3.wav")
    with pytest.raises(WavestepError, match=message):
        load(folder)


def test_every_faulty_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_corpus(tmp_path)
    (folder / "1.wav").unlink()
    (folder / "2.wav").write_bytes(b"no audio")
    os.truncate(folder / "4.wav", 50)
    with pytest.raises(WavestepError, match=r"1\.wav: file is missing \(and 2 more files at fault"):
        load(folder)
    noted = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[2].partition(": ")[0] for line in noted] == [
        str(folder / name) for name in ("1.wav", "2.wav", "4.wav")
    ]


def test_a_name_in_the_list_may_hold_what_no_file_name_does(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path)
    for name in ("x" * 300 + ".wav", "3.raw", "", "3.wav/4.wav"):
        (folder / "metadata.csv").write_text(f"file,split\n{name},train\n5.wav,valid\n")
        with pytest.raises(WavestepError, match="nothing was trained"):
            load(folder)


def test_a_file_name_need_not_be_text(tmp_path: Path) -> None:
    speaker = write_corpus(tmp_path / "ann")
    (speaker / "metadata.csv").unlink()
    (speaker / "3.wav").rename(speaker / os.fsdecode(b"\xff\xfe.wav"))
    assert len(load(tmp_path)[1]) == 6


def test_recordings_that_do_not_fit_into_memory_are_not_begun_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_corpus(tmp_path)
    monkeypatch.setattr(audio, "available_bytes", lambda: 10_000)
    monkeypatch.setattr(decoding, "read", lambda path, rate: pytest.fail("it was read"))
    with pytest.raises(WavestepError, match="take fewer, or cut the longest"):
        load(folder)


def test_a_rate_that_cannot_be_made_is_the_fault_of_its_file(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path)
    soundfile.write(folder / "3.wav", tone(300, 0.01), 600_000)
    with pytest.raises(WavestepError, match=r"\.wav: (too short|cannot be resampled)"):
        load(folder, rate=1)


def test_what_a_decoder_says_of_a_file_does_not_reach_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = write_corpus(tmp_path)
    soundfile.write(folder / "3.wav", tone(300, 0.5), RATE, format="MP3")
    data = bytearray((folder / "3.wav").read_bytes())
    data[600:900] = bytes(300)
    (folder / "3.wav").write_bytes(data)
    with contextlib.suppress(WavestepError):
        load(folder)
    assert capfd.readouterr().err == ""


def test_reading_can_be_left_before_any_file(tmp_path: Path) -> None:
    folder, opened = write_corpus(tmp_path), iter(range(9))

    def leave() -> None:
        if next(opened) == 8:  # six headers have been read, and two files
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audio.load(corpus.read(folder), 0, Softmax(), print, leave)


def test_amplitudes_are_kept_as_they_are(tmp_path: Path) -> None:
    found = corpus.read(write_corpus(tmp_path))
    stored, _ = soundfile.read(tmp_path / "0.wav", dtype="float32")
    _, utterances = audio.load(found, 0, Amplitudes(), print)
    assert utterances[0].samples.dtype == np.float32
    assert np.array_equal(utterances[0].samples, stored)
