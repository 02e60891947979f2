"""The same file, seed and conditions make the same audio in C as in Python, sample for sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import wn_runtime
from tests.export.c_api.c_voice import CVoice, build
from tests.export.c_api.models import GLOBAL, choices_of
from tests.models.model_dir import write_model
from tests.models.specs import random_weights
from tests.runtime.engines.native.targets import needs_compiler

pytestmark = needs_compiler
SAMPLES = 700
BEGINNINGS = [(0, 1.0), (-5, 0.7), (2**64 - 1, 0.0)]
"""Seeds and temperatures."""


@pytest.mark.parametrize(
    ("name", "precision"),
    [("uneven", "fp32"), ("linear", "bf16"), ("curve", "int8"), ("tags", "int8")],
)
def test_it_sounds_as_in_python(
    tmp_path: Path, request: pytest.FixtureRequest, name: str, precision: str
) -> None:
    spec = GLOBAL[name]
    directory, chosen = write_model(tmp_path / "model", spec), choices_of(spec)
    if name == "tags":
        voice: CVoice = request.getfixturevalue("tags")
    else:
        voice = built(tmp_path / "c", name, precision)
    with wn_runtime.open(directory, "native", precision=precision, threads=1) as model:
        for seed, temperature in BEGINNINGS:
            with model.begin(chosen, seed, temperature) as stream:
                expected = stream.read(SAMPLES)[:, 0]
            voice.begin(seed, 0, temperature, chosen)
            pieces = [voice.read(count) for count in (1, 0, 300, SAMPLES - 301)]
            np.testing.assert_array_equal(np.concatenate(pieces), expected)
            assert len(set(expected.tolist())) > 3 or temperature == 0


@pytest.fixture(scope="module")
def tags(tmp_path_factory: pytest.TempPathFactory) -> CVoice:
    return built(tmp_path_factory.mktemp("c"), "tags", "int8")


def built(folder: Path, name: str, precision: str) -> CVoice:
    api, data = build(folder, GLOBAL[name], random_weights(GLOBAL[name]), precision)
    status, file = api.opened(data)
    assert status == 0, api.text(status)
    return CVoice(api, file)


def test_a_voice_of_a_batch_is_a_stream_of_its_seed(tmp_path: Path, tags: CVoice) -> None:
    directory = write_model(tmp_path / "model", GLOBAL["tags"])
    with (
        wn_runtime.open(directory, "native", precision="int8", threads=1, batch=3) as model,
        model.stream(7, 1.0) as stream,
    ):
        expected = stream.read(200)
    for number in range(3):
        np.testing.assert_array_equal(tags.begin(7, number).read(200), expected[:, number])


def test_a_copy_of_a_voice_goes_on_as_it_does(tags: CVoice) -> None:
    tags.begin(3).read(123)
    copy = CVoice(tags.api, tags.file)
    copy.memory[:] = tags.memory
    np.testing.assert_array_equal(copy.read(300), tags.read(300))


def test_it_tells_what_the_model_is(tags: CVoice) -> None:
    api, model = tags.api, tags.model
    assert api.abi() == 1
    assert (api.name(model), api.sample_rate(model), api.temperature(model)) == (b"toy", 8000, 0.9)
    told = {
        api.condition_name(model, i): [
            api.value_name(model, i, j) for j in range(api.values(model, i))
        ]
        for i in range(api.conditions(model))
    }
    assert told == {
        c.name.encode(): [value.encode() for value in c.values] for c in GLOBAL["tags"].conditions
    }
    assert [api.condition_is_tags(model, i) for i in range(3)] == [0, 1, 1]
    assert api.condition(model, b"mood") == 2
    assert api.value(model, 2, b"loud") == 1
    assert api.frame_channels(model) == api.frame_hop(model) == api.frame_lookahead(model) == 0
    assert api.available(tags.begin().at) == 2**31 - 1


def test_a_wrong_call_is_a_status_and_changes_nothing(tags: CVoice) -> None:
    api, model, at = tags.api, tags.model, tags.at

    def refused(status: int) -> str:
        assert status < 0
        return str(api.text(status).decode())

    assert "no such condition" in refused(api.condition(model, b"speakers"))
    assert "no such condition" in refused(api.choose(at, 3, 0))
    assert "no such value" in refused(api.value(model, 0, b"an"))
    assert "no such value" in refused(api.choose(at, 0, 3))
    assert "takes no frames" in refused(api.push(at, None, 1))
    assert "takes no frames" in refused(api.finish(at))
    tags.begin(4, chosen={"speaker": "bob"})
    expected = tags.read(50)
    tags.begin(4, chosen={"speaker": "bob"})
    for temperature in (-1.0, np.nan, np.inf):
        assert "not a number" in refused(api.begin(at, 9, 0, temperature))
    assert "negative" in refused(api.read(at, None, -1))
    np.testing.assert_array_equal(tags.read(50), expected)
    assert api.value_name(model, 0, 3) is None
    assert api.condition_name(model, -1) is None
    assert "unknown" in refused(-99)


def test_what_is_chosen_holds_until_something_else_is(tags: CVoice) -> None:
    """A categorical condition has one value, one of tags as many as were chosen; -1 is none."""
    api, at = tags.api, tags.at
    expected = tags.begin(1, chosen={"speaker": "eve", "style": "b+I"}).read(80)
    for value in (0, 2):
        assert api.choose(at, 0, value) == 0
    assert api.choose(at, 1, -1) == 0
    for value in (34, 1):
        assert api.choose(at, 1, value) == 0
    assert api.begin(at, 1, 0, 1.0) == 0
    np.testing.assert_array_equal(tags.read(80), expected)
    assert api.choose(at, 0, -1) == 0
    assert api.begin(at, 1, 0, 1.0) == 0
    without = tags.read(80)
    np.testing.assert_array_equal(without, tags.begin(1, chosen={"style": "b+I"}).read(80))
    assert not np.array_equal(without, expected)


def test_memory_is_what_it_says(tags: CVoice) -> None:
    api, model, memory = tags.api, tags.model, tags.memory.ctypes.data
    size = api.voice_bytes(model, 0)
    assert "more memory" in api.text(api.init(memory, size - 1, model, 0)).decode()
    assert "multiple of 64" in api.text(api.init(memory + 8, size, model, 0)).decode()
    assert api.voice_bytes(model, -1) == 0
    fresh = CVoice(api, tags.file)
    audio = np.zeros(1, np.float32)
    assert "has not begun" in api.text(api.read(fresh.at, audio.ctypes.data, 1)).decode()
