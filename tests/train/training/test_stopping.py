"""The first request to stop is remembered, the second acts, and what is ignored stays ignored."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from wn_runtime.commands.command import Stopped
from wn_train.training.stopping import Stop, stop_requests

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def raising() -> Iterator[None]:
    """Handlers as a command has them."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_is_remembered_and_the_second_acts(number: signal.Signals) -> None:
    with stop_requests() as stop:
        stop.check()
        os.kill(os.getpid(), number)
        assert stop.asked
        with pytest.raises(Stopped) as first:
            stop.check()
        assert first.value.number == number
        with pytest.raises(Stopped):
            os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_what_is_ignored_stays_so(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    with stop_requests() as stop:
        os.kill(os.getpid(), number)
        assert not stop.asked
    assert signal.getsignal(number) == signal.SIG_IGN


def test_afterwards_everything_is_as_before() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    before = [signal.getsignal(number) for number in SIGNALS]
    with stop_requests():
        pass
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == write
    os.close(read)
    os.close(write)


def test_no_watchdog_hears_of_a_signal_that_a_step_answers_late() -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    with stop_requests():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(BlockingIOError):
            os.read(read, 1)
    signal.set_wakeup_fd(-1)
    os.close(read)
    os.close(write)


def test_in_another_thread_signals_are_anothers_business() -> None:
    seen: list[Stop] = []

    def work() -> None:
        with stop_requests() as stop:
            seen.append(stop)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not seen[0].asked


def test_of_several_processes_one_may_have_been_asked_for_all() -> None:
    assert Stop().interruption.number == signal.SIGTERM
