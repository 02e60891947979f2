"""Frames of a stream: pushed whole or as they come, and refused where they do not fit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import SPEAKER, small_spec
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.errors import WavestepError
from wn_runtime.synthesis.model import Model

HOP, CHANNELS = 12, 3
LOCAL = LocalFrames(CHANNELS, HOP, 4, (3,), False, "linear", 4)
FRAMES = np.random.default_rng(0).standard_normal((20, CHANNELS)).astype(np.float32)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = small_spec(conditioning=(GlobalConditions((SPEAKER,)), LOCAL))
    return write_model(tmp_path_factory.mktemp("frames") / "voice", spec, batch=1)


@pytest.fixture
def model(directory: Path) -> Iterator[Model]:
    with wn_runtime.open(directory, "onnx") as opened:
        yield opened


@pytest.mark.parametrize("pieces", [[20], [1] * 20, [3, 1, 7, 9]])
def test_frames_in_pieces_make_the_audio_of_all(model: Model, pieces: list[int]) -> None:
    whole = model.stream(seed=1, speaker="bob")
    whole.push(FRAMES, last=True)
    stream, start, read = model.stream(seed=1, speaker="bob"), 0, 0
    found = []
    assert stream.available == 0
    for count in pieces:
        start += count
        stream.push(FRAMES[start - count : start], last=start == 20)
        behind = 0 if start == 20 else LOCAL.ahead
        assert stream.available == max(0, start - behind) * HOP - read
        found.append(stream.read(stream.available or 0))
        read += len(found[-1])
    assert stream.available == 0
    assert np.array_equal(np.concatenate(found), whole.read(20 * HOP))


def test_part_of_a_block_is_available_too(model: Model) -> None:
    stream = model.stream(frames=FRAMES[: LOCAL.ahead + 2])
    assert stream.available == 2 * HOP
    stream.read(5)
    assert stream.available == 2 * HOP - 5


def test_a_model_without_frames_makes_any_number(tmp_path: Path) -> None:
    with wn_runtime.open(write_model(tmp_path / "plain", small_spec()), "onnx") as model:
        stream = model.stream()
        assert stream.available is None
        with pytest.raises(WavestepError, match="this model takes no frames"):
            stream.push(FRAMES)


def test_reading_on_says_how_many_frames_are_missing(model: Model) -> None:
    stream = model.stream(frames=FRAMES[:2])
    with pytest.raises(WavestepError, match="1 more frames are needed for the next 12 samples"):
        stream.read(1)
    stream.push(FRAMES[2:3])
    assert len(stream.read(12)) == 12


@pytest.mark.parametrize(
    ("frames", "error", "message"),
    [
        (FRAMES[:, :2], WavestepError, r"frames are float32 \(20, 2\); this model takes float32"),
        (FRAMES[0], WavestepError, r"frames are float32 \(3,\); this model takes"),
        (FRAMES[None], WavestepError, r"frames are float32 \(1, 20, 3\)"),
        (np.float32(1), WavestepError, r"frames are float32 \(\)"),
        (FRAMES * np.nan, WavestepError, "frames hold NaN or infinity"),
        (FRAMES.astype("f8") * 1e300, WavestepError, "frames hold NaN or infinity"),
        (FRAMES.astype("U9"), TypeError, "frames must be an array of numbers, not of <U9"),
        (FRAMES * 1j, TypeError, "frames must be an array of numbers, not of complex64"),
        ("frames", TypeError, "frames must be an array of numbers"),
        ([[1, 2], [3]], TypeError, "frames must be an array of numbers"),
    ],
)
def test_frames_that_do_not_fit_change_nothing(
    model: Model, frames: Any, error: type[Exception], message: str
) -> None:
    stream = model.stream(seed=1, frames=FRAMES[:9])
    expected = model.stream(seed=1, frames=FRAMES[:9]).read(HOP)
    with pytest.raises(error, match=message):
        stream.push(frames, last=True)
    assert np.array_equal(stream.read(HOP), expected)
    stream.push(FRAMES[9:].tolist(), last=True)
    with pytest.raises(WavestepError, match="the last frames have been pushed; begin the stream"):
        stream.push(FRAMES)
    assert len(stream.read(19 * HOP)) == 19 * HOP
    with pytest.raises(WavestepError, match=r"the last frames .* for 0 more samples"):
        stream.read(1)


def test_a_snapshot_within_a_frame_moves_to_another_stream(model: Model) -> None:
    stream = model.stream(seed=1, frames=FRAMES, speaker="eve")
    stream.read(5 * HOP + 5)
    snapshot = stream.snapshot()
    onward = stream.read(10 * HOP)
    assert np.array_equal(model.stream().restore(snapshot).read(10 * HOP), onward)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is here")
def test_each_voice_of_a_batch_is_as_if_it_were_alone(directory: Path) -> None:
    frames = np.stack([FRAMES, FRAMES[::-1]], axis=1)
    with (
        wn_runtime.open(directory, "native", "fp32") as one,
        wn_runtime.open(directory, "native", "fp32", batch=2) as two,
    ):
        both = two.stream(seed=[3, 4], frames=frames).read(15 * HOP)
        for voice in (0, 1):
            alone = one.stream(seed=3 + voice, frames=frames[:, voice]).read(15 * HOP)
            assert np.array_equal(both[:, voice : voice + 1], alone)
