"""A stream is its seed and its conditions: never its block size, its neighbours or its engine."""

from __future__ import annotations

import math

import numpy as np
import pytest
import soundfile

import wn_runtime
from tests.model_dir import write_model
from tests.specs import CORNERS
from wn_runtime.errors import WavestepError
from wn_runtime.heads import mulaw
from wn_runtime.model import manifest as manifests

SPEC = CORNERS["two_conditions"]


@pytest.fixture
def directory(tmp_path):
    return write_model(tmp_path / "model", SPEC)


@pytest.fixture
def model(directory):
    with wn_runtime.open(directory, "onnx") as model:
        yield model


def test_the_three_lines(directory, tmp_path):
    model = wn_runtime.open(directory, "onnx")
    stream = model.stream(seed=1, speaker="bob")
    wn_runtime.write(tmp_path / "bob.wav", stream.read(800), model.sample_rate)
    audio, rate = soundfile.read(tmp_path / "bob.wav", dtype="float32")
    assert rate == SPEC.sample_rate
    again = model.stream(seed=1, speaker=1).read(800)[:, 0]
    assert np.abs(audio - again).max() <= 2 / 32767


def test_audio_is_the_decoded_classes(model):
    audio = model.stream(seed=3).read(300)
    classes = model.stream(seed=3).read_classes(300)
    assert audio.shape == (300, 1)
    assert audio.dtype == np.float32
    assert np.array_equal(audio, mulaw.decode(classes, SPEC.classes))


def test_the_block_size_changes_nothing(model):
    whole = model.stream(seed=5, speaker="ann").read(5000)  # longer than one call of the engine
    pieces = model.stream(seed=5, speaker="ann")
    assert np.array_equal(np.concatenate([pieces.read(n) for n in (1, 0, 7, 3000, 1992)]), whole)
    assert pieces.position == 5000


@pytest.mark.parametrize("change", [{"seed": 6}, {"speaker": "eve"}, {"temperature": 0.5}])
def test_seed_condition_and_temperature_do_change_it(model, change):
    settings = {"seed": 5, "speaker": "ann", "temperature": 1.0}
    one = model.stream(**settings).read(400)
    assert not np.array_equal(model.stream(**{**settings, **change}).read(400), one)


def test_streams_of_one_model_do_not_disturb_each_other(model):
    alone = model.stream(seed=1, speaker="ann").read(600)
    first, second = model.stream(seed=1, speaker="ann"), model.stream(seed=2, speaker="bob")
    pieces = []
    for _ in range(6):
        pieces.append(first.read(100))
        second.read(37)
    assert np.array_equal(np.concatenate(pieces), alone)


def test_a_closed_streams_engine_serves_the_next_from_silence(model):
    with model.stream(seed=1) as stream:
        once = stream.read(200)
        engine = stream._engine
    with model.stream(seed=1) as stream:
        assert stream._engine is engine
        assert np.array_equal(stream.read(200), once)
    with pytest.raises(WavestepError, match="this stream is closed"):
        stream.read(1)


def test_a_snapshot_resumes_forks_and_moves(model, directory):
    stream = model.stream(seed=4, speaker="eve", temperature=0.8)
    stream.read(123)
    snapshot = stream.snapshot()
    onward = stream.read(300)
    assert np.array_equal(stream.restore(snapshot).read(300), onward)
    assert np.array_equal(model.stream().restore(snapshot).read(300), onward)
    with wn_runtime.open(directory / "step.onnx", threads=2) as elsewhere:
        assert np.array_equal(elsewhere.stream().restore(snapshot).read(300), onward)


def test_a_snapshot_of_another_model_is_refused(model, tmp_path):
    other = wn_runtime.open(write_model(tmp_path / "other", CORNERS["plain"]), "onnx", batch=2)
    with pytest.raises(WavestepError, match="the state has samples"):
        model.stream().restore(other.stream().snapshot())


def test_voices_of_a_batch_are_the_seeds_own_streams(directory):
    with wn_runtime.open(directory, "onnx", batch=3) as model:
        audio = model.stream(seed=9, speaker=["ann", "bob", "eve"]).read(250)
    with wn_runtime.open(directory, "onnx") as single:
        first = single.stream(seed=9, speaker="ann").read(250)
    assert audio.shape == (250, 3)
    assert np.array_equal(audio[:, :1], first)
    assert not np.array_equal(audio[:, 1], audio[:, 2])


def test_blocks_add_up_to_the_seconds(model):
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
    ],
)
def test_what_the_model_lacks_is_an_error(model, settings, message):
    with pytest.raises(WavestepError, match=message):
        model.stream(**settings)


@pytest.mark.parametrize("seconds", [0, -1, math.nan])
def test_no_time_is_an_error(model, seconds):
    with pytest.raises(WavestepError, match="cannot make"):
        next(model.stream().blocks(seconds))


def test_changed_weights_are_noticed_when_they_condition(directory):
    path = directory / manifests.WEIGHTS
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WavestepError, match=r"weights.safetensors is not the file"):
        wn_runtime.open(directory, "onnx")
