"""A wrong argument is named in one line; whatever is refused leaves the stream as it was."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_runtime.errors import WavestepError
from wn_runtime.synthesis.model import Model
from wn_runtime.synthesis.stream import Stream


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "voice", CORNERS["one_condition"])


@pytest.fixture
def model(directory: Path) -> Model:
    return wn_runtime.open(directory, "onnx", batch=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": 5}, r"path must be a path, not int \(5\)"),
        ({"path": None}, "path must be a path, not NoneType"),
        ({"engine": 5}, "engine must be a string, not int"),
        ({"precision": b"fp32"}, "precision must be a string, not bytes"),
        ({"batch": "2"}, r"batch must be an integer, not str \('2'\)"),
        ({"batch": 1.0}, "batch must be an integer, not float"),
        ({"batch": True}, "batch must be an integer, not bool"),
        ({"threads": 2.0}, "threads must be an integer, not float"),
        ({"max_streams": "x"}, "max_streams must be an integer, not str"),
    ],
)
def test_open_names_an_argument_of_another_type(
    directory: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        wn_runtime.open(**{"path": directory, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch": 0}, "batch is 0; it must be at least 1"),
        ({"batch": 10**9}, "batch is 1000000000; it must be at most 65536"),
        ({"batch": 10**5000}, "batch is a int too large to print; it must be at most"),
        ({"threads": 0}, "threads is 0; it must be at least 1"),
        ({"threads": 10**5}, "threads is 100000; it must be at most 1024"),
        ({"max_streams": 0}, "max_streams is 0; it must be at least 1"),
    ],
)
def test_limits_are_stated(directory: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(WavestepError, match=message):
        wn_runtime.open(directory, **arguments)


def test_memory_is_asked_for_before_it_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wn_runtime.engines import memory

    monkeypatch.setattr(memory, "available_bytes", lambda: 2**20)
    directory = write_model(tmp_path / "voice", CORNERS["plain"])
    with pytest.raises(WavestepError, match=r"65536 streams .* GiB of memory, 0.0 GiB are avail"):
        wn_runtime.open(directory, "onnx", batch=2**16)


WRONG: dict[str, tuple[Callable[[Stream], object], type[Exception], str]] = {
    "read text": (lambda s: s.read("a"), TypeError, "samples must be an integer"),  # type: ignore[arg-type]
    "read a fraction": (lambda s: s.read(1.5), TypeError, "samples must be"),  # type: ignore[arg-type]
    "read nothing": (lambda s: s.read(-1), WavestepError, "samples is -1"),
    "read all": (lambda s: s.read(2**40), WavestepError, "samples is .* at most"),
    "blocks of text": (lambda s: s.blocks("1"), TypeError, "seconds must be a number"),  # type: ignore[arg-type]
    "a block of none": (lambda s: s.blocks(1, 0), WavestepError, "block is 0"),
    "endless seconds": (lambda s: s.blocks(1e308), WavestepError, "seconds is 1e.308"),
    "nan seconds": (lambda s: s.blocks(math.nan), WavestepError, "seconds is nan"),
    "push": (lambda s: s.push(np.zeros((1, 2), np.float32)), WavestepError, "takes no frames"),
    "seed of text": (lambda s: s.reset(seed="7"), TypeError, "seed must be an integer"),  # type: ignore[arg-type]
    "half a seed": (lambda s: s.reset(seed=[1, 0.5]), TypeError, "seed must be an integer"),  # type: ignore[list-item]
    "a long seed": (lambda s: s.reset(seed=2**64), WavestepError, "seed is .* at most"),
    "temperature": (lambda s: s.reset(temperature="1"), TypeError, "temperature must be a"),  # type: ignore[arg-type]
    "cold": (lambda s: s.reset(temperature=-1), WavestepError, "temperature is -1"),
    "slots of text": (lambda s: s.reset(slots="01"), TypeError, "slots must be a list"),  # type: ignore[arg-type]
    "a slot": (lambda s: s.reset(slots=0), TypeError, "slots must be a list"),  # type: ignore[arg-type]
    "half a slot": (lambda s: s.snapshot([0.5]), TypeError, "slot must be an integer"),  # type: ignore[list-item]
    "speaker of bytes": (lambda s: s.reset(speaker=b"ann"), TypeError, "speaker must be a"),
    "half a speaker": (lambda s: s.reset(speaker=0.5), TypeError, "speaker must be a"),  # type: ignore[arg-type]
    "other digits": (lambda s: s.reset(speaker="²"), WavestepError, "speaker '²' is unknown"),
    "long digits": (lambda s: s.reset(speaker="9" * 9999), WavestepError, "speaker '999.* is un"),
    "no snapshot": (lambda s: s.restore({}), TypeError, "snapshot must be"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("call", WRONG)
def test_a_refused_call_changes_nothing(model: Model, call: str) -> None:
    expected = model.stream(seed=3, speaker="ann").read(60)
    stream = model.stream(seed=3, speaker="ann")
    begin = stream.read(25)
    wrong, kind, message = WRONG[call]
    with pytest.raises(kind, match=message) as caught:
        wrong(stream)
    assert type(caught.value) is kind or kind is WavestepError
    np.testing.assert_array_equal(np.concatenate([begin, stream.read(35)]), expected)


SPOILT: dict[str, dict[str, Any]] = {
    "another's memory": {"network": {}},
    "memory of text": {"network": {"samples": "x", "delay_lines": "y"}},
    "another's conditioning": {"conditioner": {}},
    "conditioning of none": {"conditioner": None},
    "more made than there is": {"offset": 9, "size": 4},
    "text for a size": {"size": "4"},
    "a bias of text": {"bias": "x", "offset": 0, "size": 4},
    "a bias of one stream": {"bias": np.zeros((1, 3, 1, 16), np.float32), "offset": 0, "size": 4},
    "no bias inside a block": {"bias": None, "offset": 1, "size": 4},
    "frames of text": {"frames": np.array([["x", "y"]])},
    "history of another batch": {"history": np.zeros((3, 7), np.int32)},
}


@pytest.mark.parametrize("which", SPOILT)
def test_a_refused_restore_leaves_the_stream_as_it_was(model: Model, which: str) -> None:
    expected = model.stream(seed=3, speaker="ann").read(60)
    stream = model.stream(seed=3, speaker="ann")
    begin = stream.read(25)
    other = model.stream(seed=4, speaker="bob")
    other.read(10)
    with pytest.raises((WavestepError, TypeError)):
        stream.restore(dataclasses.replace(other.snapshot(), **SPOILT[which]))
    np.testing.assert_array_equal(np.concatenate([begin, stream.read(35)]), expected)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("seed", "x", "seed"),
        ("number", -1, "stream"),
        ("position", 1.5, "position"),
        ("temperature", "hot", "temperature"),
    ],
)
def test_a_voice_of_another_type_is_refused(
    model: Model, field: str, value: Any, named: str
) -> None:
    stream = model.stream(seed=3, speaker="ann")
    snapshot = stream.snapshot()
    wrong = dataclasses.replace(snapshot.voices[0], **{field: value})
    with pytest.raises((WavestepError, TypeError), match=named):
        stream.restore(dataclasses.replace(snapshot, voices=(wrong, snapshot.voices[1])))


def test_conditions_called_as_the_arguments_are_no_arguments(model: Model) -> None:
    with pytest.raises(WavestepError, match="condition 'seed' is unknown; this model has: speaker"):
        model.begin({"seed": 3})
    with pytest.raises(TypeError, match="conditions must be a mapping"):
        model.begin([("speaker", "ann")])  # type: ignore[arg-type]


def test_a_closed_model_says_so(directory: Path) -> None:
    model = wn_runtime.open(directory, "onnx")
    stream = model.stream()
    model.close()
    with pytest.raises(WavestepError, match="this model is closed; open it again"):
        model.stream()
    stream.read(10)  # its engine is its own until it is closed
    stream.close()
    with pytest.raises(WavestepError, match="this stream is closed"):
        stream.read(1)
    model.close()


def test_a_closed_engine_says_so(directory: Path) -> None:
    for name in ("onnx", "native"):
        engine = wn_runtime.open_engine(directory, name)
        engine.close()
        engine.close()
        with pytest.raises(WavestepError, match="this engine is closed; open the model again"):
            engine.snapshot()


@pytest.mark.parametrize("temperature", [1e-38, 1e-45, 5e-324, 1e38, 1e308])
@pytest.mark.parametrize("engine", ["onnx", "native"])
def test_no_temperature_is_too_extreme(directory: Path, engine: str, temperature: float) -> None:
    """Towards 0 it is the likeliest sample; towards infinity every class is alike."""
    with wn_runtime.open(directory, engine) as model:
        made = model.stream(seed=1, temperature=temperature, speaker="ann").read_samples(50)
        if temperature < 1:
            expected = model.stream(seed=1, temperature=0, speaker="ann").read_samples(50)
            np.testing.assert_array_equal(made, expected)
        else:
            assert len(np.unique(made)) > 8  # of 16 classes


@pytest.mark.parametrize(
    ("audio", "kind", "message"),
    [
        (np.array([0.0, np.nan]), WavestepError, "holds NaN or infinity"),
        (np.array([0.0, -np.inf], np.float32), WavestepError, "holds NaN or infinity"),
        (np.zeros(5, np.int16), TypeError, r"not int16; 16-bit samples: audio / 32768"),
        (np.zeros((5, 2)), WavestepError, "takes one voice"),
        (np.zeros(()), WavestepError, "takes one voice"),
        ([np.zeros(5), [0.5]], TypeError, "audio must be an array of floats"),
        ("audio", TypeError, "audio must be an array, or an iterable"),
        (3.5, TypeError, "audio must be an array, or an iterable"),
    ],
)
def test_what_is_no_audio_is_not_written(
    tmp_path: Path, audio: Any, kind: type[Exception], message: str
) -> None:
    (tmp_path / "a.wav").write_bytes(b"precious")
    with pytest.raises(kind, match=message):
        wn_runtime.write(tmp_path / "a.wav", audio, 8000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    assert (tmp_path / "a.wav").read_bytes() == b"precious"
