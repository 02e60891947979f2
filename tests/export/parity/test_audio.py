"""Audio files become amplitudes at the model's rate, or one plain line."""

from __future__ import annotations

import contextlib
import os
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.models.specs import small_spec
from wn_export.parity.audio import read_audio
from wn_runtime.errors import WavestepError

SPEC = small_spec(classes=256)


def test_audio_is_mixed_to_mono_and_resampled(tmp_path: Path) -> None:
    pytest.importorskip("soxr", reason="soxr is not installed")
    tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    soundfile.write(tmp_path / "tone.wav", np.stack([tone * 0.6, tone * 0.2], axis=1), 16000)
    samples = read_audio(tmp_path / "tone.wav", SPEC, 10**6)
    assert samples.shape == (8000,)
    expected = 0.4 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    middle = slice(200, -200)
    np.testing.assert_allclose(samples[middle], expected[middle], atol=1e-3)


def test_audio_of_another_rate_without_a_resampler_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "tone.wav", np.zeros(100), 44100)
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(
        WavestepError,
        match=r"sound of 44100 Hz is wanted at 8000 Hz, and soxr is not installed; convert",
    ):
        read_audio(tmp_path / "tone.wav", SPEC, 10**6)


def test_no_more_is_read_than_is_wanted(tmp_path: Path) -> None:
    tone = np.sin(np.arange(9000) / 9) / 2
    soundfile.write(tmp_path / "tone.wav", tone, 8000)
    whole = read_audio(tmp_path / "tone.wav", SPEC, 10**6)
    assert len(whole) == 9000
    np.testing.assert_array_equal(read_audio(tmp_path / "tone.wav", SPEC, 700), whole[:700])


def test_the_start_of_a_resampled_file_is_that_of_all_of_it(tmp_path: Path) -> None:
    pytest.importorskip("soxr", reason="soxr is not installed")
    soundfile.write(tmp_path / "tone.wav", np.sin(np.arange(48000) / 30) / 2, 48000)
    whole = read_audio(tmp_path / "tone.wav", SPEC, 10**6)
    start = read_audio(tmp_path / "tone.wav", SPEC, 500)
    assert (len(whole), len(start)) == (8000, 500)
    np.testing.assert_allclose(start, whole[:500], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("text.wav", "cannot be read as audio"),
        ("absent.wav", "cannot be read as audio: it does not exist"),
        ("empty.wav", "is empty"),
        ("nan.wav", "is not finite"),
        ("loud.wav", "is not finite"),
        ("pipe.wav", "cannot be read as audio: it is a named pipe, not a file"),
        (".", "cannot be read as audio: it is a directory, not a file"),
        ("endless.wav", "cannot be read as audio: it is a device, not a file"),
        ("loop.wav", "cannot be read as audio: Too many levels"),
        ("raw.raw", "cannot be read as audio"),
        ("text.wav/x.wav", "cannot be read as audio: Not a directory"),
        ("slow.wav", "cannot be read as audio: its rate is 1 Hz, the model's 8000 Hz"),
        ("fast.wav", "cannot be read as audio: its rate is 2000000000 Hz"),
        ("wide.wav", "cannot be read as audio: it has 100 channels, over 64"),
    ],
)
def test_audio_that_is_none_is_one_line(tmp_path: Path, name: str, fault: str) -> None:
    (tmp_path / "text.wav").write_text("hello")
    (tmp_path / "raw.raw").write_bytes(bytes(1000))
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    soundfile.write(tmp_path / "nan.wav", np.array([0, np.nan]), 8000, subtype="FLOAT")
    loud = np.full((9, 2), 3e38, np.float32)
    soundfile.write(tmp_path / "loud.wav", loud, 8000, subtype="FLOAT")
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "endless.wav").symlink_to("/dev/zero")
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    soundfile.write(tmp_path / "slow.wav", np.zeros(9), 1)
    soundfile.write(tmp_path / "fast.wav", np.zeros(9), 2 * 10**9)
    soundfile.write(tmp_path / "wide.wav", np.zeros((9, 100)), 8000)
    with pytest.raises(WavestepError, match=rf"{name} {fault}") as told:
        read_audio(tmp_path / name, SPEC, 10**6)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".aiff"])
def test_a_header_that_lies_takes_no_memory(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tone{suffix}"
    soundfile.write(path, np.sin(np.arange(4000) / 9) / 2, 8000)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    tracemalloc.start()
    for _ in range(40):
        data = bytearray(whole)
        data[rng.integers(8, 60)] = rng.integers(256)
        path.write_bytes(data)
        with contextlib.suppress(WavestepError):
            read_audio(path, SPEC, 16_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**26
