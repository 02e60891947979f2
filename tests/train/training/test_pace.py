"""Steps and samples a second: recent ones, of training time alone."""

from __future__ import annotations

import pytest

from wn_train.training.pace import Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_steady_run_has_its_rates() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert (pace.steps_per_second, pace.samples_per_second) == (0, 0)
    for _ in range(30):
        clock.now += 0.5
        pace.step(1000)
    assert pace.steps_per_second == pytest.approx(2)
    assert pace.samples_per_second == pytest.approx(2000)


def test_what_lies_in_a_pause_does_not_count() -> None:
    clock = Clock()
    pace = Pace(clock)
    for step in range(10):
        clock.now += 0.25
        if step % 3 == 0:
            with pace.paused():
                clock.now += 1000
        clock.now += 0.25
        pace.step(100)
    assert pace.steps_per_second == pytest.approx(2)
    assert pace.samples_per_second == pytest.approx(200)


def test_a_pause_ends_however_it_ends() -> None:
    clock = Clock()
    pace = Pace(clock)

    def stopped() -> None:
        with pace.paused():
            clock.now += 50
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    clock.now += 1
    pace.step(7)
    assert pace.samples_per_second == pytest.approx(7)


def test_a_slow_beginning_is_forgotten() -> None:
    clock = Clock()
    pace = Pace(clock)
    clock.now += 300  # a compiler at work
    pace.step(100)
    for _ in range(200):
        clock.now += 0.1
        pace.step(100)
    assert pace.samples_per_second == pytest.approx(1000, rel=0.05)
