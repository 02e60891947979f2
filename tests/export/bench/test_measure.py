"""The bench's arithmetic, on a clock that the test turns itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.law.numpy_engine import NumpyEngine
from tests.models.specs import CORNERS, random_bias, random_weights
from wn_export.bench import measure as bench
from wn_export.bench.machine import machine_facts
from wn_export.bench.measure import (
    Generator,
    Row,
    Times,
    block_length,
    engine_generator,
    measure,
    row,
)
from wn_runtime.model.state import DELAY_LINES

ROW = Row("native", "fp32", 1, 1, 16000, 62.5, 100, 2.0, None, None)


class Clock:
    """Seconds pass only when a generator says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.log: list[str] = []

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.now / 2

    def generator(self, name: str, block: int, *seconds: float) -> Generator:
        """Blocks that take these seconds, over and over."""
        count = iter(range(10**9))

        def make() -> None:
            self.now += seconds[next(count) % len(seconds)]
            self.log.append(name)

        return Generator(name, "fp32", 1, 1, block, make)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bench, "time", clock)
    return clock


def test_a_block_is_10_ms_of_sound_and_never_empty() -> None:
    assert [block_length(rate) for rate in (8000, 22050, 44100, 40)] == [80, 220, 441, 1]


def test_times_are_microseconds_of_one_step(clock: Clock) -> None:
    (times,) = measure([clock.generator("a", 80, 0.008)], seconds=0.1)
    np.testing.assert_allclose(times.us, 100)  # 8 ms for 80 samples


def test_the_share_of_the_core_is_cpu_time_over_clock_time(clock: Clock) -> None:
    for times in measure([clock.generator(name, 1, 0.01) for name in "ab"], seconds=0.3):
        assert times.cpu_share == pytest.approx(0.5)  # this clock's process runs half the time


def test_each_gets_its_seconds_and_they_take_turns(clock: Clock) -> None:
    quick, slow = clock.generator("quick", 1, 0.001), clock.generator("slow", 1, 0.05)
    done: list[float] = []
    quick_us, slow_us = (t.us for t in measure([quick, slow], 0.5, progress=done.append))
    assert quick_us.sum() == pytest.approx(0.5e6, abs=2e3)
    assert slow_us.sum() == pytest.approx(0.5e6, abs=51e3)
    assert sum(done) == pytest.approx((quick_us.sum() + slow_us.sum()) / 1e6)
    turns = [name for i, name in enumerate(clock.log) if i == 0 or clock.log[i - 1] != name]
    assert len(turns) >= 8  # not one after the other


def test_the_first_block_warms_up_and_does_not_count(clock: Clock) -> None:
    first = iter([10.0])

    def make() -> None:
        clock.now += next(first, 0.01)

    (times,) = measure([Generator("a", "fp32", 1, 1, 1, make)], seconds=0.05)
    np.testing.assert_allclose(times.us, 0.01e6)


def test_even_a_very_slow_one_is_measured_more_than_once(clock: Clock) -> None:
    (times,) = measure([clock.generator("window", 1, 5.0)], seconds=0.1)
    assert len(times.us) == bench.LEAST_BLOCKS


def test_a_row_is_made_of_median_and_99th_percentile() -> None:
    us = np.array([50.0] * 97 + [200.0] * 3)
    generator = Generator("native", "int8", 4, 2, 80, lambda: None)
    made = row(generator, Times(us, 1.0), sample_rate=8000, first_audio_ms=12.5, delta_bits=0.001)
    assert (made.us_median, made.us_p99) == (50, 200)
    assert made.samples_per_second == pytest.approx(4 / 50e-6)
    assert made.real_time_factor == pytest.approx(2.5)
    assert (made.batch, made.threads, made.first_audio_ms, made.delta_bits) == (4, 2, 12.5, 0.001)


@pytest.mark.parametrize(("p99", "late"), [(62.5, False), (125, False), (126, True)])
def test_a_block_is_late_when_it_takes_longer_than_it_sounds(p99: float, late: bool) -> None:
    made = dataclasses.replace(ROW, us_p99=p99)  # 16 kHz x 2: 125 us a sample are left
    assert (made.real_time, made.late) == (True, late)


def test_real_time_is_as_fast_as_it_sounds() -> None:
    assert dataclasses.replace(ROW, real_time_factor=1.0).real_time
    assert not dataclasses.replace(ROW, real_time_factor=0.99).real_time


def test_an_engine_generates_blocks_that_go_on_from_each_other() -> None:
    spec = CORNERS["kernel_3"]
    engine = NumpyEngine(spec, random_weights(spec), batch=2)
    generator = engine_generator(engine, random_bias(spec, 2))
    assert (generator.engine, generator.precision) == ("numpy", "fp32")
    assert (generator.batch, generator.block) == (2, 80)
    made = generator.make()
    assert isinstance(made, np.ndarray)
    assert made.shape == (80, 2)
    after = engine.snapshot()
    generator.make()
    assert not np.array_equal(after[DELAY_LINES], engine.snapshot()[DELAY_LINES])


def test_machine_facts_say_what_ran_it() -> None:
    facts = machine_facts()
    assert facts["cores"] >= facts["cores_allowed"] >= 1
    assert facts["memory_gb"] > 0
    assert facts["versions"]["numpy"] == np.__version__
