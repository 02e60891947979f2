"""A step that takes far longer than the spec says is refused; a slow moment is not."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.models import specs
from wn_runtime.engines.onnx.pace import check_pace
from wn_runtime.errors import WavestepError

SPEC = specs.small_spec()


def sleeps(*seconds: float) -> Iterator[None]:
    for each in seconds:
        time.sleep(each)
        yield


def test_a_step_that_is_always_slow_is_refused() -> None:
    steps = sleeps(*[0.2] * 9)
    with pytest.raises(WavestepError, match=r"takes 2\d\d ms a step, a model of this spec under"):
        check_pace(lambda: next(steps), SPEC, 1)


def test_a_slow_moment_is_not() -> None:
    steps = sleeps(0.2, 0.2, 0)
    check_pace(lambda: next(steps), SPEC, 1)
    assert next(steps, "all taken") == "all taken"


def test_more_streams_may_take_longer() -> None:
    steps = sleeps(0.2)
    check_pace(lambda: next(steps), SPEC, 10_000)
