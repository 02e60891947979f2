"""A step that takes far longer than the spec says is refused; a slow moment is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.models import specs
from wn_runtime.engines.onnx.pace import check_pace
from wn_runtime.errors import WavestepError

SPEC = specs.small_spec()


@pytest.fixture
def taking(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Iterator[None]]:
    """Steps that take so many seconds each, of a clock of their own: this machine may be busy."""
    now = 0.0

    def steps(*seconds: float) -> Iterator[None]:
        nonlocal now
        for each in seconds:
            now += each
            yield

    monkeypatch.setattr(time, "perf_counter", lambda: now)
    return steps


def test_a_step_that_is_always_slow_is_refused(taking: Callable[..., Iterator[None]]) -> None:
    steps = taking(*[0.2] * 9)
    with pytest.raises(WavestepError, match=r"takes 200 ms a step, a model of this spec under"):
        check_pace(lambda: next(steps), SPEC, 1)


def test_a_slow_moment_is_not(taking: Callable[..., Iterator[None]]) -> None:
    steps = taking(0.2, 0.2, 0)
    check_pace(lambda: next(steps), SPEC, 1)
    assert next(steps, "all taken") == "all taken"


def test_more_streams_may_take_longer(taking: Callable[..., Iterator[None]]) -> None:
    steps = taking(0.2)
    check_pace(lambda: next(steps), SPEC, 10_000)
