"""The mel spectrum: librosa's filters, frames where they say, floors, and what is no mel."""

from __future__ import annotations

import numpy as np
import pytest

from wn_runtime.features.mel import FLOOR, Mel, filters, hz_of, log_mel, mels_of

VOCODER = Mel(22050, 256, 1024, 80, 0, 8000)
SPEECH = Mel(8000, 80, 320, 40, 50)


def test_the_scale_is_slaneys() -> None:
    """Published points: 1000 Hz is 15 mels, and 27 mels more are 6.4 times that."""
    np.testing.assert_allclose(mels_of(np.array([0.0, 200 / 3, 1000, 6400])), [0, 1, 15, 42])
    hz = np.linspace(0, 20_000, 500)
    np.testing.assert_allclose(hz_of(mels_of(hz)), hz, atol=1e-9)


def test_the_filters_are_librosas() -> None:
    """From librosa 0.11.0, filters.mel(sr=22050, n_fft=1024, n_mels=80, fmin=0, fmax=8000)."""
    bank = filters(VOCODER)
    assert bank.shape == (80, 513)
    assert float(bank.sum()) == pytest.approx(3.7136884, rel=1e-6)
    assert float(bank.max()) == pytest.approx(0.026492536, rel=1e-6)
    librosa = pytest.importorskip("librosa")
    for mel in (VOCODER, SPEECH):
        theirs = librosa.filters.mel(
            sr=mel.sample_rate, n_fft=mel.window, n_mels=mel.bands, fmin=mel.low_hz, fmax=mel.top_hz
        )
        np.testing.assert_allclose(filters(mel), theirs, atol=1e-8)


def test_a_frame_lies_around_its_own_samples() -> None:
    """A click in frame 20 is loudest in frame 20, wherever in it the click is."""
    for place in (1, 40, 78):
        audio = np.zeros(4000, np.float32)
        audio[20 * 80 + place] = 1
        assert log_mel(audio, SPEECH).sum(axis=1).argmax() == 20


def test_a_tone_is_loudest_in_its_band() -> None:
    audio = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000).astype(np.float32)
    band = log_mel(audio, SPEECH)[50].argmax()
    low, high = mels_of(np.array([50.0, 4000]))
    edges = hz_of(np.linspace(low, high, 42))
    assert edges[band] <= 1000 <= edges[band + 2]


@pytest.mark.parametrize("samples", [0, 1, 79, 80, 81, 8000, 8001])
def test_there_is_a_frame_for_every_hop_begun(samples: int) -> None:
    frames = log_mel(np.zeros(samples, np.float32), SPEECH)
    assert frames.shape == (-(-samples // 80), 40)
    assert (frames == np.float32(np.log(FLOOR))).all()


def test_pieces_of_a_long_recording_are_one() -> None:
    audio = np.random.default_rng(0).standard_normal(80 * 2100).astype(np.float32)
    whole = log_mel(audio, SPEECH)
    np.testing.assert_allclose(
        whole[1000:1030], log_mel(audio[80 * 990 :], SPEECH)[10:40], atol=1e-5
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 1}, "window is 1; it must be 2 to 65536 samples"),
        ({"hop": 0}, "hop is 0; it must be 1 to the window's 320"),
        ({"hop": 321}, "hop is 321"),
        ({"bands": 0}, "bands is 0; it must be 1 to 1024"),
        ({"high_hz": 4001.0}, "bands lie from 0 to 4001 Hz; they must rise within 0 to 4000 Hz"),
        ({"low_hz": 900.0, "high_hz": 800.0}, "bands lie from 900 to 800 Hz"),
        ({"low_hz": float("nan")}, "bands lie from nan"),
    ],
)
def test_what_is_no_mel_is_told(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mel(**{"sample_rate": 8000, "hop": 80, "window": 320, **changes})  # type: ignore[arg-type]
