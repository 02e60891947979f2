"""The Python API with wrong values: WavestepError, or a TypeError that names the argument.

Two streams get the same good calls; one of them gets bad ones in between. A call that was refused
leaves no trace: at the end both make the same samples.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wn_runtime
from tests.fuzz.anything import BRIEF, one_line
from tests.fuzz.world import World
from wn_runtime.errors import WavestepError
from wn_runtime.synthesis.model import Model

ODD: dict[str, Any] = {
    "none": None,
    "text": "x",
    "no text": "",
    "superscript": "²",
    "bytes": b"ann",
    "true": True,
    "half": 0.5,
    "nan": math.nan,
    "inf": math.inf,
    "minus": -1,
    "large": 10**30,
    "huge": 10**320,
    "two": 2,
    "list": [],
    "pair": [0, 0],
    "outside": [7],
    "mixed": [0, "x"],
    "nested": [[0]],
    "table": {},
    "set": {1},
    "object": object(),
    "type": int,
    "complex": 1j,
    "array": np.zeros(3),
    "integers": np.zeros((3, 1), np.int64),
    "nans": np.full((3, 1), np.nan, np.float32),
    "texts": np.array(["x"]),
    "objects": np.array([None]),
    "scalar": np.float32(1),
}
CALLS: dict[str, tuple[str, Callable[[Any, Any], object]]] = {
    "read": ("samples", lambda stream, odd: stream.read(odd)),
    "read_samples": ("samples", lambda stream, odd: stream.read_samples(odd)),
    "blocks": ("seconds", lambda stream, odd: next(stream.blocks(odd))),
    "blocks of": ("block", lambda stream, odd: next(stream.blocks(0.1, odd))),
    "push": ("frames", lambda stream, odd: stream.push(odd)),
    "reset slots": ("slots", lambda stream, odd: stream.reset(odd)),
    "reset seed": ("seed", lambda stream, odd: stream.reset(seed=odd)),
    "reset temperature": ("temperature", lambda stream, odd: stream.reset(temperature=odd)),
    "reset condition": ("speaker", lambda stream, odd: stream.reset(speaker=odd)),
    "reset unknown": ("accent", lambda stream, odd: stream.reset(accent=odd)),
    "snapshot": ("slots", lambda stream, odd: stream.snapshot(odd)),
    "restore": ("snapshot", lambda stream, odd: stream.restore(odd)),
    "restore slots": ("slots", lambda stream, odd: stream.restore(stream.snapshot(), odd)),
}
"""Calls on a stream with one odd argument, and the name of that argument."""
HARMLESS = ("read", "read_samples", "blocks", "blocks of", "snapshot")
"""These go on or look; what succeeds is done to the twin, too."""


@pytest.fixture(scope="module")
def model(world: World) -> Iterator[Model]:
    with wn_runtime.open(world.root / "voice", "onnx", batch=2) as model:
        yield model


def refused(name: str, call: Callable[[], object]) -> bool:
    """Whether a call was refused, as it must be: another exception fails the test."""
    try:
        call()
    except WavestepError as error:
        one_line(error)
        return True
    except TypeError as error:
        said = str(error)
    else:
        return False
    assert name.removesuffix("s") in said, f"TypeError({said!r}) does not name {name}"
    return True


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("call", CALLS)
def test_an_odd_argument_is_refused_or_taken(model: Model, call: str, odd: str) -> None:
    name, use = CALLS[call]
    if odd in ("large", "huge", "inf") and call in ("read", "read_samples"):
        pytest.skip("asks for more memory than there is: wn-run's limits have a test of their own")
    with model.stream(seed=3) as stream, model.stream(seed=3) as twin:
        stream.read(7)
        twin.read(7)
        if refused(name, lambda: use(stream, ODD[odd])):
            assert stream.position == twin.position
            assert np.array_equal(stream.read(20), twin.read(20))


@BRIEF
@given(
    calls=st.lists(
        st.one_of(
            st.tuples(st.sampled_from(sorted(CALLS)), st.sampled_from(sorted(ODD))),
            st.tuples(st.just("good"), st.integers(0, 9)),
        ),
        max_size=12,
    )
)
def test_refused_calls_leave_no_trace(model: Model, calls: list[tuple[str, Any]]) -> None:
    with model.stream(seed=5) as stream, model.stream(seed=5) as twin:
        for call, value in calls:
            if call == "good":
                assert np.array_equal(stream.read(value), twin.read(value))
                continue
            if value in ("large", "huge", "inf"):
                continue
            name, use = CALLS[call]
            if not refused(name, lambda use=use, value=value: use(stream, ODD[value])):  # type: ignore[misc]
                with contextlib.suppress(WavestepError, TypeError):
                    use(twin, ODD[value])
        assert np.array_equal(stream.read(9), twin.read(9))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["path", "engine", "precision", "batch", "threads", "max_streams"])
def test_open_with_an_odd_argument(world: World, name: str, odd: str) -> None:
    if name == "batch" and odd in ("two", "large"):
        pytest.skip("a large batch is a matter of memory: wn-run has the cases")
    given = {"path": world.root / "voice", "engine": "onnx", name: ODD[odd]}
    refused(name, lambda: wn_runtime.open(**given).close())


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["seed", "temperature", "frames", "speaker", "mood", "accent"])
def test_a_stream_with_an_odd_argument(model: Model, name: str, odd: str) -> None:
    def one() -> None:
        with model.stream(**{name: ODD[odd]}) as stream:
            stream.read(5)

    refused(name, one)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["path", "audio", "sample_rate"])
def test_write_with_an_odd_argument(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str, odd: str
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"path": "a.wav", "audio": np.zeros((4, 1), np.float32), "sample_rate": 8000}
    refused(name, lambda: wn_runtime.write(**{**given, name: ODD[odd]}))
    assert all(path.name == "a.wav" for path in tmp_path.iterdir())


def test_what_is_closed_says_so(world: World) -> None:
    model = wn_runtime.open(world.root / "voice", "onnx")
    stream = model.stream()
    stream.close()
    stream.close()
    for name, use in CALLS.values():
        if name != "snapshot":
            assert refused(name, lambda use=use: use(stream, None))  # type: ignore[misc]
    model.close()
    model.close()
    assert refused("model", model.stream)
