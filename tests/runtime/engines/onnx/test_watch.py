"""A call that never ends is ended; one that ends in time, or fails by itself, is left alone."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import numpy as np
import onnxruntime as ort
import pytest
from onnx import helper

from tests.runtime.engines.onnx.test_graph_check import endless, model
from wn_runtime.engines.onnx import watch
from wn_runtime.engines.onnx.watch import Watch
from wn_runtime.errors import WavestepError

ONES = {"x": np.ones(4, np.float32)}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SLACK_S", 0.1)
    monkeypatch.setattr(watch, "EVERY_S", 0.02)


@pytest.fixture
def session() -> ort.InferenceSession:
    return ort.InferenceSession(model([endless()]).SerializeToString())


def watchers() -> Iterator[threading.Thread]:
    return (thread for thread in threading.enumerate() if thread.name == watch.THREAD)


def test_a_call_that_never_ends_is_ended_and_so_is_the_next(session: ort.InferenceSession) -> None:
    one = Watch()
    for _ in range(2):
        with (
            pytest.raises(WavestepError, match=r"^it had not ended after 0.1 s, .* export the mod"),
            one.within(0, "it") as options,
        ):
            session.run(None, ONES, options)


def test_one_that_ends_is_left_alone_and_can_be_followed() -> None:
    one = Watch()
    quick = ort.InferenceSession(model([helper.make_node("Neg", ["x"], ["y"])]).SerializeToString())
    for _ in range(3):
        with one.within(0, "it") as options:
            (found,) = quick.run(None, ONES, options)
        assert found.tolist() == [-1] * 4
        time.sleep(0.05)


def test_what_fails_by_itself_says_so() -> None:
    with pytest.raises(ZeroDivisionError), Watch().within(0, "it"):
        raise ZeroDivisionError


def test_it_stops_looking_when_nobody_needs_it() -> None:
    before = set(watchers())  # of other tests, which may end at any time
    one = Watch()
    (ours,) = set(watchers()) - before
    del one
    gc.collect()
    ours.join(timeout=30)
    assert not ours.is_alive()
