"""The clock counts the making of audio, and the bar shows on a terminal only."""

from __future__ import annotations

import io
import re
import sys
import time

import numpy as np
import pytest

from wn_runtime.commands import say
from wn_runtime.commands.progress import Clock, progress, seconds_since_start

BLOCK = np.zeros((400, 2), np.float32)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_report_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 0.1, 5.0, 5.1])  # making takes 0.1 s a block; the consumer takes the rest
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    clock = Clock(8000, 2)
    blocks = iter([BLOCK, BLOCK])
    timed = clock.timed(blocks)
    next(timed)
    next(timed)
    assert clock.samples == 800
    report = re.sub(r"audio \d+ ms", "audio N ms", clock.report())
    assert report == "8 kHz · 2 × 0.10 s in 0.20 s · 1.0× real time · first audio N ms"
    assert clock.report(2.9).endswith(" ms, 2900 of it compiling, once")


def test_time_counts_from_the_start_of_the_process() -> None:
    first = seconds_since_start()
    time.sleep(0.03)
    assert 0 < first < seconds_since_start() < 24 * 3600


@pytest.mark.parametrize("samples", [80_000, None])
def test_a_terminal_sees_a_bar_when_the_work_lasts(
    monkeypatch: pytest.MonkeyPatch, samples: int | None
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress(samples, 8000) as advance:
        time.sleep(1.1)
        advance(32_001)
    assert "4.0" in terminal.getvalue()
    assert ("of 10.0 s" in terminal.getvalue()) == (samples is not None)


def test_a_log_sees_none(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with progress(80_000, 8000) as advance:
        advance(32_000)
    assert log.getvalue() == ""


def test_nor_does_who_asked_for_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(say, "volume", say.QUIET)
    with progress(80_000, 8000) as advance:
        time.sleep(1.1)
        advance(32_000)
    assert terminal.getvalue() == ""
