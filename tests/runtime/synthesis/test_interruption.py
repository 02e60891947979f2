"""Wherever an interruption comes, engine, randomness and position agree after it."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_runtime.errors import WavestepError
from wn_runtime.interrupts import Held

BOTH = pytest.mark.parametrize("engine", ["onnx", "native"])


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "voice", CORNERS["one_condition"])


@BOTH
def test_after_an_interruption_a_stream_goes_on_where_it_says_it_is(
    directory: Path, engine: str
) -> None:
    with wn_runtime.open(directory, engine) as model:
        most = 50_000 if engine == "native" else 1500
        expected = model.stream(seed=3, speaker="ann").read(5 * most)
        stream = model.stream(seed=3, speaker="ann")
        interrupted = 0
        for delay in (0.002, 0.005, 0.011, 0.023):
            timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
            try:
                timer.start()
                stream.read(most)
                timer.join()
                signal.sigtimedwait([], 0)  # an instruction in which it may come late
            except KeyboardInterrupt:
                interrupted += 1
            timer.join()
            position = stream.position
            np.testing.assert_array_equal(stream.read(100), expected[position : position + 100])
        assert interrupted


def test_an_interruption_that_is_held_comes_after_the_block() -> None:
    reached = []

    def work() -> None:
        with Held() as held:
            os.kill(os.getpid(), signal.SIGINT)
            reached.append(list(held.received))

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == [[signal.SIGINT]]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_changes_no_handlers() -> None:
    seen = []

    def work() -> None:
        with Held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_a_stream_whose_engine_failed_must_begin_anew(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with wn_runtime.open(directory, "onnx") as model:
        stream = model.stream(seed=3, speaker="ann")
        whole = stream.snapshot()
        expected = stream.read(50)
        assert stream._engine is not None
        with monkeypatch.context() as patch:
            patch.setattr(type(stream._engine), "_generate", lambda *_: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                stream.read(10)
        with pytest.raises(WavestepError, match="this stream's engine failed; begin it anew"):
            stream.read(10)
        np.testing.assert_array_equal(stream.restore(whole).read(50), expected)
        np.testing.assert_array_equal(stream.reset(seed=3, speaker="ann").read(50), expected)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(
    ("engine", "threads", "goes_on"),
    [("native", 2, True), ("native", 1, True), ("onnx", 1, True), ("onnx", 2, False)],
)
def test_a_fork_goes_on_or_says_that_it_cannot(
    directory: Path, engine: str, threads: int, goes_on: bool
) -> None:
    """Threads stay behind at a fork: whoever waits for them there waits for ever."""
    with wn_runtime.open(directory, engine, batch=2, threads=threads) as model:
        stream = model.stream(seed=3, speaker="ann")
        stream.read(20)
        child = os.fork()
        if not child:
            signal.alarm(60)
            try:
                stream.read(20)
            except WavestepError as error:
                os._exit(3 if "open it here" in str(error) else 4)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == (0 if goes_on else 3)
        stream.read(20)  # the parent's is as it was
