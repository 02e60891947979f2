"""Audio to prove parity on, with its frames: files of them, or made as the model's were."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.export.checkpoints import trained_of
from tests.models.specs import PLAIN, SPEAKER, small_spec
from tests.train.recordings import RATE, tone
from wn_export.parity.clips import choose_clips
from wn_export.parity.trained import Trained
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features

HOP, CHANNELS = 40, 5
FEATURES = Features(RATE, HOP, 160, mel=4, level=True)
SPEC = small_spec(
    conditioning=(
        GlobalConditions((SPEAKER,)),
        LocalFrames(CHANNELS, HOP, 4, (3,), False, "repeat", HOP),
    )
)


@pytest.fixture(scope="module")
def framed() -> Trained:
    return trained_of(SPEC)


@pytest.fixture
def audio(tmp_path: Path) -> tuple[Path, Path]:
    """410 and 90 samples."""
    paths = (tmp_path / "a.wav", tmp_path / "b.wav")
    for path, samples in zip(paths, (410, 90), strict=True):
        soundfile.write(path, tone(300, 0.1)[:samples], RATE)
    return paths


def saved(path: Path, count: int, width: int = CHANNELS, value: float = 1) -> Path:
    np.save(path, np.full((count, width), value, np.float32))
    return path


def described(trained: Trained, features: Features) -> Trained:
    return dataclasses.replace(trained, features=features)


def test_files_go_with_audio_in_order(
    framed: Trained, audio: tuple[Path, Path], tmp_path: Path
) -> None:
    files = (saved(tmp_path / "a.npy", 11), saved(tmp_path / "b.npy", 3, value=2))
    clips, material = choose_clips(framed, audio, frames=files)
    assert material == "a.wav, b.wav"
    assert [len(clip.samples) for clip in clips] == [410, 90]
    one, two = (clip.frames for clip in clips)
    assert one is not None
    assert two is not None
    assert (one.shape, two.shape) == ((12, 1, CHANNELS), (4, 1, CHANNELS))  # one ahead
    assert ((one[:11] == 1).all(), (two[:3] == 2).all()) == (True, True)
    padding = framed.model.padding()
    for frames in (one, two):
        np.testing.assert_array_equal(frames[-1, 0], padding)


@pytest.mark.parametrize("more", [-1, 1])
def test_one_frame_more_or_fewer_is_taken(
    framed: Trained, audio: tuple[Path, Path], tmp_path: Path, more: int
) -> None:
    (clip,), _ = choose_clips(framed, audio[:1], frames=(saved(tmp_path / "a.npy", 11 + more),))
    assert clip.frames is not None
    assert len(clip.frames) == 12


def test_audio_that_is_cut_has_frames_beyond(
    framed: Trained, audio: tuple[Path, Path], tmp_path: Path
) -> None:
    files = (saved(tmp_path / "a.npy", 11), saved(tmp_path / "b.npy", 3))
    clips, _ = choose_clips(framed, audio, most=200, frames=files)
    assert [len(clip.samples) for clip in clips] == [200]
    frames = clips[0].frames
    assert frames is not None
    assert len(frames) == 6


def test_without_files_they_are_made_as_the_checkpoint_says(
    framed: Trained, audio: tuple[Path, Path]
) -> None:
    (clip, _), _ = choose_clips(described(framed, FEATURES), audio)
    wave: NDArray[np.float32] = soundfile.read(audio[0], dtype="float32")[0]
    assert clip.frames is not None
    np.testing.assert_allclose(clip.frames[:11, 0], FEATURES.extract(wave), rtol=1e-6)


def test_pitch_without_pyworld_is_one_line(
    framed: Trained, audio: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyworld", None)
    features = Features(RATE, HOP, 160, mel=3, pitch=True)
    with pytest.raises(WavestepError, match="pitch needs pyworld"):
        choose_clips(described(framed, features), audio)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([], r"does not say how to make them of --audio; give --frames FILE\.npy"),
        ([11], "there are 1 --frames for 2 --audio; give one for each, in the same order"),
        ([11, 3, 3], "there are 3 --frames for 2 --audio"),
        ([9, 3], r"0\.npy has 9 frames; .*a\.wav has 410 samples, which at a hop of 40 are 11"),
        ([13, 3], r"0\.npy has 13 frames"),
        ([11, 5], r"1\.npy has 5 frames; .*b\.wav has 90 samples"),
    ],
)
def test_frames_that_are_not_the_audios_are_one_line(
    framed: Trained, audio: tuple[Path, Path], tmp_path: Path, counts: list[int], message: str
) -> None:
    files = tuple(saved(tmp_path / f"{i}.npy", count) for i, count in enumerate(counts))
    with pytest.raises(WavestepError, match=message):
        choose_clips(framed, audio, frames=files)


def test_frames_of_another_width_or_that_are_none(
    framed: Trained, audio: tuple[Path, Path], tmp_path: Path
) -> None:
    wide = saved(tmp_path / "wide.npy", 11, width=4)
    with pytest.raises(WavestepError, match=r"wide\.npy has 4 channels; this model takes 5"):
        choose_clips(framed, audio[:1], frames=(wide,))
    odd = saved(tmp_path / "nan.npy", 11, value=np.nan)
    with pytest.raises(WavestepError, match=r"nan\.npy cannot be read as frames: frame 0 holds"):
        choose_clips(framed, audio[:1], frames=(odd,))
    with pytest.raises(WavestepError, match=r"none\.npy does not exist"):
        choose_clips(framed, audio[:1], frames=(tmp_path / "none.npy",))


def test_a_model_without_frames_takes_none(audio: tuple[Path, Path], tmp_path: Path) -> None:
    plain = trained_of(PLAIN)
    with pytest.raises(WavestepError, match="this model takes no frames; leave --frames out"):
        choose_clips(plain, audio[:1], frames=(saved(tmp_path / "a.npy", 11),))
    clips, _ = choose_clips(plain, audio)
    assert [clip.frames for clip in clips] == [None, None]


def test_frames_alone_are_told(framed: Trained, tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match="there are 1 --frames for 0 --audio"):
        choose_clips(framed, (), frames=(saved(tmp_path / "a.npy", 11),))


def test_phones_cannot_be_made_of_audio(framed: Trained, audio: tuple[Path, Path]) -> None:
    spoken = dataclasses.replace(FEATURES, phones=("sil", "AA"))
    with pytest.raises(WavestepError, match=r"give --frames FILE\.npy for each"):
        choose_clips(described(framed, spoken), audio)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (dataclasses.replace(FEATURES, sample_rate=16000), "rate is 16000, its model takes 8000"),
        (dataclasses.replace(FEATURES, hop=80), "hop is 80, its model takes 40"),
        (dataclasses.replace(FEATURES, mel=9), "columns is 10, its model takes 5"),
    ],
)
def test_a_checkpoint_that_describes_other_frames_is_not_believed(
    framed: Trained, audio: tuple[Path, Path], features: Features, message: str
) -> None:
    with pytest.raises(WavestepError, match=f"the checkpoint says that its frames' {message}"):
        choose_clips(described(framed, features), audio)
