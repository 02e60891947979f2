"""What a run shows in TensorBoard: curves, and what the model says beside what was recorded."""

from __future__ import annotations

import dataclasses
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.models.specs import SPEAKER, small_spec
from tests.train.models import random_model
from tests.train.recordings import RATE, tone
from tests.train.training.test_events import read
from wn_runtime import extras
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.features.features import Features
from wn_runtime.model.spec import ModelSpec
from wn_train.config import TrainingConfig
from wn_train.data.audio import Utterance
from wn_train.data.corpus import Recording
from wn_train.training import generate
from wn_train.training.pace import Pace
from wn_train.training.tracking import SCALARS_EVERY, Tracker

FEATURES = Features(RATE, 40, 160, mel=4, level=True)
LOCAL = LocalFrames(5, 40, 4, (3,), False, "repeat", 40)
SPOKEN = small_spec(conditions=(SPEAKER,))
FRAMED = small_spec(conditioning=(GlobalConditions((SPEAKER,)), LOCAL))
PLAN = TrainingConfig(sample_seconds=0.05)


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models are too small for it to be worth a minute; test_generate.py has the engine."""
    monkeypatch.setattr(generate.Generator, "_engine", lambda *given: None)


def held_back(spec: ModelSpec, framed: bool) -> list[Utterance]:
    found = []
    for hertz, speaker in ((300, "ann"), (700, "bob")):
        audio = tone(hertz, 0.1)
        frames = FEATURES.extract(audio) if framed else None
        recording = Recording(Path(f"{speaker}.wav"), "valid", {"speaker": speaker})
        found.append(Utterance(recording, spec.output.encode(audio), frames))
    return found


def tracked(
    folder: Path, spec: ModelSpec, features: Features | None, steps: tuple[int, ...] = (5,)
) -> tuple[Any, list[str]]:
    """What TensorBoard finds after samples at these steps, and what was said."""
    said: list[str] = []
    framed = any(part.frame_channels for part in spec.conditioning)
    tracker = Tracker(folder, spec, PLAN, features, held_back(spec, framed), said.append)
    for step in steps:
        tracker.samples(step, random_model(spec, seed=step))
    tracker.close()
    return read(folder / "tensorboard"), said


def wave_of(event: Any) -> NDArray[np.float64]:
    wave, rate = soundfile.read(io.BytesIO(event.encoded_audio_string))
    assert rate == RATE
    return np.asarray(wave)


def test_beside_each_sample_is_the_recording_of_its_conditions(tmp_path: Path) -> None:
    found, said = tracked(tmp_path, SPOKEN, None, (5, 10))
    labels = {"speaker=ann", "speaker=bob", "speaker=eve"}
    real = {"speaker=ann (recording)", "speaker=bob (recording)"}  # nobody recorded eve
    assert set(found.Tags()["audio"]) == {f"audio/{label}" for label in labels | real}
    assert set(found.Tags()["images"]) == {f"spectrogram/{label}" for label in labels | real}
    assert [event.step for event in found.Audio("audio/speaker=ann")] == [5, 10]
    (once,) = found.Audio("audio/speaker=ann (recording)")
    expected = SPOKEN.output.decode(SPOKEN.output.encode(tone(300, 0.1)[:400]))
    np.testing.assert_allclose(wave_of(once), expected, atol=1e-4)
    first, second = (wave_of(event) for event in found.Audio("audio/speaker=ann"))
    assert len(first) == len(second) == 400
    assert (first != second).any(), "of two models"
    assert said == []


def test_frames_are_drawn_beside_those_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found, said = tracked(tmp_path, FRAMED, FEATURES, (5, 10))
    pictures = [tag for tag in found.Tags()["images"] if tag.startswith("frames/")]
    assert pictures == ["frames/speaker=ann", "frames/speaker=bob"]
    first, second = found.Images("frames/speaker=ann")
    assert first.encoded_image_string.startswith(b"\x89PNG")
    assert first.encoded_image_string != second.encoded_image_string
    assert first.width > first.height > 200
    assert said == []


def test_frames_that_nobody_described_are_not_drawn(tmp_path: Path) -> None:
    found, said = tracked(tmp_path, FRAMED, None)
    assert not [tag for tag in found.Tags()["images"] if tag.startswith("frames/")]
    assert "audio/speaker=ann (recording)" in found.Tags()["audio"]
    assert said == []


@pytest.mark.parametrize(
    ("missing", "features"),
    [
        ("matplotlib", FEATURES),
        ("pyworld", dataclasses.replace(FEATURES, mel=0, level=False, pitch=True)),
    ],
)
def test_what_cannot_be_drawn_here_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, features: Features
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setattr("wn_train.figures.load", lambda: __import__(missing))
    found, said = tracked(tmp_path, FRAMED, features, (5, 10))
    assert len(said) == 1
    assert said[0].startswith("frames are not drawn in TensorBoard (")
    assert said[0].endswith(f"); {extras.install_features()}")
    assert not [tag for tag in found.Tags()["images"] if tag.startswith("frames/")]
    assert len(found.Audio("audio/speaker=ann")) == 2, "all else goes on"


def test_curves_have_the_pace_and_the_epoch(tmp_path: Path) -> None:
    clock = iter(np.arange(0.0, 1000.0, 0.25))
    pace = Pace(lambda: float(next(clock)))
    tracker = Tracker(tmp_path, SPOKEN, PLAN, None, held_back(SPOKEN, False), pytest.fail)
    for step in range(1, 2 * SCALARS_EVERY + 1):
        pace.step(50)
        tracker.step(step, 3.5, 0.1, 1e-3, step // 30, pace)
    tracker.close()
    found = read(tmp_path / "tensorboard")
    expected: dict[str, list[float]] = {
        "bits_per_sample": [3.5, 3.5],
        "gradient_norm": [0.1, 0.1],
        "learning_rate": [1e-3, 1e-3],
        "epoch": [0, 1],
        "steps_per_second": [4, 4],
        "samples_per_second": [200, 200],
    }
    for tag, values in expected.items():
        points = found.Scalars(f"train/{tag}")
        assert [point.step for point in points] == [SCALARS_EVERY, 2 * SCALARS_EVERY]
        np.testing.assert_allclose([point.value for point in points], values, rtol=1e-5)
