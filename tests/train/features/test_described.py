"""A configuration goes with what features.json says, or one line tells where it does not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_train.conditioning.config import FramesConfig
from wn_train.config import Config, DataConfig, ModelConfig
from wn_train.features import described

FEATURES = Features(8000, 40, 160, mel=5, level=True)
PLAIN = described.as_plain(FEATURES)


def settings(frames: FramesConfig | None, sample_rate: int = 0) -> Config:
    return Config(model=ModelConfig(frames=frames), data=DataConfig(sample_rate=sample_rate))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "features.json").write_text(json.dumps(PLAIN))
    return tmp_path


def test_what_is_left_out_is_taken_from_it(folder: Path) -> None:
    found = described.applied(settings(FramesConfig(hidden=4)), described.read(folder))
    assert found.model.frames == FramesConfig(hop=40, channels=6, hidden=4)
    assert found.data.sample_rate == 8000
    assert found.features == FEATURES


def test_a_model_without_frames_is_left_as_it_is(folder: Path) -> None:
    plain = settings(None)
    assert described.applied(plain, described.read(folder)) is plain


def test_without_the_file_the_hop_must_be_given(tmp_path: Path) -> None:
    assert described.read(tmp_path) is None
    with pytest.raises(WavestepError, match=r"model.frames: hop is not given, and the data has no"):
        described.applied(settings(FramesConfig()), None)
    given = settings(FramesConfig(hop=80))
    assert described.applied(given, None) is given


@pytest.mark.parametrize(
    ("frames", "rate", "message"),
    [
        (FramesConfig(hop=80), 0, "the frames' hop is 40, says features.json, and .* 80"),
        (FramesConfig(channels=7), 0, "the frames' channels is 6, says features.json, and .* 7"),
        (FramesConfig(), 16000, "the frames' sample_rate is 8000, says .* 16000"),
        (FramesConfig(hold=3), 0, "model.frames: with these frames hold is 3; it must divide hop"),
    ],
)
def test_what_contradicts_it_is_one_line(
    folder: Path, frames: FramesConfig, rate: int, message: str
) -> None:
    with pytest.raises(WavestepError, match=message):
        described.applied(settings(frames, rate), described.read(folder))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "features.json cannot be read"),
        ("[]", "features.json"),
        ('{"hop": NaN}', "NaN is no number in JSON"),
        (json.dumps({**PLAIN, "columns": ["x"]}), "columns are not what"),
        (json.dumps({**PLAIN, "mel": -1}), "bands is -1"),
        (json.dumps({**PLAIN, "colour": 1}), "colour"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "features.json").write_text(text)
    with pytest.raises(WavestepError, match=message):
        described.read(tmp_path)


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "features.json")
    with pytest.raises(WavestepError, match="a named pipe"):
        described.read(tmp_path)
