"""A stream is its seed and its conditions: never its block size, its neighbours or its engine."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, small_spec
from wn_runtime.errors import WavestepError
from wn_runtime.heads import mulaw
from wn_runtime.model import manifest as manifests
from wn_runtime.synthesis.model import Model


def test_the_three_lines(directory: Path, tmp_path: Path) -> None:
    model = wn_runtime.open(directory, "onnx")
    stream = model.stream(seed=1, speaker="bob")
    wn_runtime.write(tmp_path / "bob.wav", stream.read(800), model.sample_rate)
    audio, rate = soundfile.read(tmp_path / "bob.wav", dtype="float32")
    assert rate == model.spec.sample_rate
    again = model.stream(seed=1, speaker=1).read(800)[:, 0]
    assert np.abs(audio - again).max() <= 2 / 32767


def test_audio_is_the_decoded_samples(model: Model) -> None:
    audio = model.stream(seed=3).read(300)
    samples = model.stream(seed=3).read_samples(300)
    assert audio.shape == (300, 1)
    assert (audio.dtype, samples.dtype) == (np.dtype(np.float32), np.dtype(np.int32))
    assert np.array_equal(audio, mulaw.decode(samples, 16))


def test_the_block_size_changes_nothing(model: Model) -> None:
    whole = model.stream(seed=5, speaker="ann").read(5000)  # longer than one call of the engine
    pieces = model.stream(seed=5, speaker="ann")
    assert np.array_equal(np.concatenate([pieces.read(n) for n in (1, 0, 7, 3000, 1992)]), whole)
    assert pieces.position == 5000


@pytest.mark.parametrize("change", [{"seed": 6}, {"speaker": "eve"}, {"temperature": 0.5}])
def test_seed_condition_and_temperature_do_change_it(model: Model, change: dict[str, Any]) -> None:
    settings: dict[str, Any] = {"seed": 5, "speaker": "ann", "temperature": 1.0}
    one = model.stream(**settings).read(400)
    assert not np.array_equal(model.stream(**{**settings, **change}).read(400), one)


def test_streams_of_one_model_do_not_disturb_each_other(model: Model) -> None:
    alone = model.stream(seed=1, speaker="ann").read(600)
    first, second = model.stream(seed=1, speaker="ann"), model.stream(seed=2, speaker="bob")
    pieces = []
    for _ in range(6):
        pieces.append(first.read(100))
        second.read(37)
    assert np.array_equal(np.concatenate(pieces), alone)


def test_a_stream_that_is_reset_is_a_new_one(model: Model) -> None:
    expected = model.stream(seed=2, temperature=0.8, speaker="eve").read(300)
    stream = model.stream(seed=1, speaker="ann")
    stream.read(50)
    assert stream.reset(seed=2, temperature=0.8, speaker="eve") is stream
    assert stream.position == 0
    assert np.array_equal(stream.read(300), expected)
    assert np.array_equal(stream.reset().read(300), model.stream().read(300))


def test_a_snapshot_resumes_forks_and_moves(model: Model, directory: Path) -> None:
    stream = model.stream(seed=4, speaker="eve", temperature=0.8)
    stream.read(123)
    snapshot = stream.snapshot()
    onward = stream.read(300)
    assert np.array_equal(stream.restore(snapshot).read(300), onward)
    assert np.array_equal(model.stream().restore(snapshot).read(300), onward)
    with wn_runtime.open(directory / "step.onnx", threads=2) as elsewhere:
        moved = elsewhere.stream().restore(snapshot)
        assert moved.position == 123
        assert np.array_equal(moved.read(300), onward)


def test_a_snapshot_of_another_model_is_refused_and_changes_nothing(
    model: Model, tmp_path: Path
) -> None:
    stream = model.stream(seed=4, speaker="eve")
    stream.read(50)
    before = stream.snapshot()
    onward = stream.read(100)
    stream.restore(before)
    others = {
        "delay_lines of the state": CORNERS["one_layer"],
        "conditioning .0.bias. is another model's": CORNERS["plain"],
    }
    for message, spec in others.items():
        with wn_runtime.open(write_model(tmp_path / message[:5], spec), "onnx") as other:
            taken = other.stream().snapshot()
        with pytest.raises(WavestepError, match=message):
            stream.restore(taken)
    assert np.array_equal(stream.read(100), onward)


def test_a_snapshot_with_conditions_is_refused_by_a_model_without(
    model: Model, tmp_path: Path
) -> None:
    stream = model.stream(speaker="eve")
    stream.read(10)
    with (
        wn_runtime.open(write_model(tmp_path / "plain", small_spec()), "onnx") as plain,
        pytest.raises(WavestepError, match="is another model's"),
    ):
        plain.stream().restore(stream.snapshot())


def test_blocks_add_up_to_the_seconds(model: Model) -> None:
    blocks = list(model.stream(seed=2).blocks(0.111, block=0.02))
    assert [len(block) for block in blocks] == [160] * 5 + [88]
    assert np.array_equal(np.concatenate(blocks), model.stream(seed=2).read(888))
    endless = model.stream(seed=2).blocks(math.inf)
    assert all(len(next(endless)) == 400 for _ in range(5))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speaker": "bbo"}, r"speaker 'bbo' is unknown; .*\(did you mean 'bob'\?\)"),
        ({"speaker": 3}, "speaker index 3 is out of range; this model has 3: 0 to 2"),
        ({"speaker": ["ann", "bob"]}, "speaker has 2 values for 1 streams"),
        ({"accent": "x"}, "condition 'accent' is unknown; this model has: speaker, mood"),
        ({"temperature": -0.1}, "temperature is -0.1"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"temperature": [1.0, 1.0]}, "one for each of 1 streams"),
        ({"seed": [1, 2]}, "seed has 2 values for 1 streams; give one for all or one a stream"),
        ({"frames": np.zeros((3, 4), np.float32)}, "this model takes no frames"),
    ],
)
def test_what_the_model_lacks_is_an_error(
    model: Model, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(WavestepError, match=message):
        model.stream(**settings)


@pytest.mark.parametrize("seconds", [0, -1, math.nan])
def test_no_time_is_an_error(model: Model, seconds: float) -> None:
    with pytest.raises(WavestepError, match="seconds is"):
        next(model.stream().blocks(seconds))
    with pytest.raises(WavestepError, match="samples is -1; it must be at least 0"):
        model.stream().read(-1)


def test_changed_weights_are_noticed_when_they_condition(directory: Path) -> None:
    path = directory / manifests.WEIGHTS
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WavestepError, match=r"weights.safetensors is not the file"):
        wn_runtime.open(directory, "onnx")
