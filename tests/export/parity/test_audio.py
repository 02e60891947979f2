"""Audio files become samples of the model's head, or one plain line."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.specs import small_spec
from wn_export.parity.audio import read_audio
from wn_runtime.errors import WavestepError

SPEC = small_spec(classes=256)


def test_audio_is_mixed_to_mono_and_resampled(tmp_path: Path) -> None:
    pytest.importorskip("soxr", reason="soxr is not installed")
    tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    soundfile.write(tmp_path / "tone.wav", np.stack([tone * 0.6, tone * 0.2], axis=1), 16000)
    samples = read_audio(tmp_path / "tone.wav", SPEC)
    assert samples.shape == (8000,)
    expected = 0.4 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    middle = slice(200, -200)
    np.testing.assert_allclose(SPEC.output.decode(samples)[middle], expected[middle], atol=0.02)


def test_audio_of_another_rate_without_a_resampler_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "tone.wav", np.zeros(100), 44100)
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(WavestepError, match=r"tone\.wav has 44100 Hz, the model 8000 Hz; convert"):
        read_audio(tmp_path / "tone.wav", SPEC)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("text.wav", "cannot be read as audio"),
        ("absent.wav", "cannot be read as audio: it does not exist"),
        ("empty.wav", "is empty"),
        ("nan.wav", "is not finite"),
    ],
)
def test_audio_that_is_none_is_one_line(tmp_path: Path, name: str, fault: str) -> None:
    (tmp_path / "text.wav").write_text("hello")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    soundfile.write(tmp_path / "nan.wav", np.array([0, np.nan]), 8000, subtype="FLOAT")
    with pytest.raises(WavestepError, match=rf"{name} {fault}"):
        read_audio(tmp_path / name, SPEC)
