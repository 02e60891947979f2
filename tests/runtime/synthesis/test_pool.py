"""Engines are lent to streams: from silence, kept for the next, and never more than allowed."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import wn_runtime
from tests.law.numpy_engine import NumpyEngine
from tests.models.specs import PLAIN, random_samples, random_weights
from wn_runtime.errors import WavestepError
from wn_runtime.synthesis.model import Model
from wn_runtime.synthesis.pool import EnginePool

WEIGHTS = random_weights(PLAIN)


class Counted(NumpyEngine):
    """An engine that knows whether it was closed."""

    def __init__(self) -> None:
        super().__init__(PLAIN, WEIGHTS)
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_an_engine_that_was_given_back_is_lent_again_from_silence() -> None:
    pool = EnginePool(Counted(), Counted)
    samples = random_samples(PLAIN, 20, 1)
    engine = pool.take()
    expected = engine.score(samples, None)
    pool.give_back(engine)
    again = pool.take()
    assert again is engine
    assert np.array_equal(again.score(samples, None), expected)
    assert pool.take() is not engine


def test_more_than_the_most_are_an_error_until_one_is_given_back() -> None:
    pool = EnginePool(Counted(), Counted, most=2)
    first, second = pool.take(), pool.take()
    assert first is not second
    for _ in range(2):
        with pytest.raises(WavestepError, match=r"^open streams: 2, the most .* max_streams$"):
            pool.take()
    pool.give_back(first)
    assert pool.take() is first


def test_an_engine_that_could_not_be_made_does_not_count() -> None:
    failing = [True]

    def another() -> Counted:
        if failing[0]:
            raise WavestepError("no memory")
        return Counted()

    pool = EnginePool(Counted(), another, most=2)
    pool.take()
    for _ in range(3):
        with pytest.raises(WavestepError, match="no memory"):
            pool.take()
    failing[0] = False
    pool.take()


@pytest.mark.parametrize("most", [0, -1])
def test_a_cap_below_one_is_an_error(most: int) -> None:
    with pytest.raises(WavestepError, match=f"max_streams is {most}; it must be at least 1"):
        EnginePool(Counted(), Counted, most)


def test_closing_closes_those_that_nobody_has() -> None:
    engines = [Counted(), Counted()]
    left = engines[1:]
    pool = EnginePool(engines[0], left.pop)
    idle, lent = pool.take(), pool.take()
    pool.give_back(idle)
    pool.close()
    assert [engine.closed for engine in engines] == [True, False]
    assert lent is engines[1]


def test_threads_never_have_more_than_the_most_or_one_engine_twice() -> None:
    pool, lent, most_lent = EnginePool(Counted(), Counted, most=3), set[int](), [0]
    lock = threading.Lock()

    def borrow(_: int) -> bool:
        try:
            engine = pool.take()
        except WavestepError:
            return False
        with lock:
            assert id(engine) not in lent
            lent.add(id(engine))
            most_lent[0] = max(most_lent[0], len(lent))
        with lock:
            lent.remove(id(engine))
        pool.give_back(engine)
        return True

    with ThreadPoolExecutor(8) as threads:
        assert any(threads.map(borrow, range(200)))
    assert 1 <= most_lent[0] <= 3


def test_a_models_streams_are_capped_and_closing_one_makes_room(directory: Path) -> None:
    with wn_runtime.open(directory, "onnx", max_streams=2) as model:
        first, second = model.stream(), model.stream()
        with pytest.raises(WavestepError, match="open streams: 2"):
            model.stream()
        first.close()
        first.close()  # no second place
        with model.stream() as third:
            assert third.read(10).shape == (10, 1)
            with pytest.raises(WavestepError, match="open streams: 2"):
                model.stream()
        second.close()


def test_a_stream_that_could_not_begin_takes_no_place(directory: Path) -> None:
    with wn_runtime.open(directory, "onnx", max_streams=1) as model:
        with pytest.raises(WavestepError, match="speaker 'zoe' is unknown"):
            model.stream(speaker="zoe")
        model.stream().close()


def test_a_stream_that_nobody_holds_gives_its_engine_back(directory: Path) -> None:
    with wn_runtime.open(directory, "onnx", max_streams=1) as model:
        for seed in range(3):
            model.stream(seed).read(5)
            gc.collect()


def test_a_closed_streams_engine_serves_the_next_from_silence(model: Model) -> None:
    with model.stream(seed=1) as stream:
        once = stream.read(200)
        engine = stream._engine
    with model.stream(seed=1) as following:
        assert following._engine is engine
        assert np.array_equal(following.read(200), once)
    for use in (lambda: stream.read(1), stream.snapshot, stream.reset):
        with pytest.raises(WavestepError, match="this stream is closed; open another"):
            use()
