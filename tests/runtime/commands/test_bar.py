"""A bar shows on a terminal only, ends nothing where stderr takes nothing, and has no thread."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from wn_runtime.commands.bar import Bar


class Stream(io.StringIO):
    def __init__(self, terminal: bool = True, gone: bool = False) -> None:
        super().__init__()
        self._terminal, self._gone = terminal, gone

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        if self._gone:
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    "stream",
    [None, closed(), Stream(gone=True), Stream(terminal=False, gone=True)],
    ids=["none", "closed", "gone", "pipe"],
)
def test_a_stream_that_takes_nothing_is_passed_over(
    stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with Bar(total=3) as bar:
        for _ in range(3):
            bar.update()
            bar.refresh()
            bar.set_postfix(bits="3.5")


@pytest.mark.parametrize(
    ("stream", "disable", "seen"),
    [
        (Stream(), None, True),
        (Stream(), True, False),
        (Stream(terminal=False), None, False),
        (Stream(terminal=False), False, True),
    ],
)
def test_a_bar_is_shown_on_a_terminal_or_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, stream: Stream, disable: bool | None, seen: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with Bar(total=3, desc="reading", disable=disable) as bar:
        bar.refresh()
    assert ("reading" in stream.getvalue()) == seen


def test_it_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Stream())
    before = set(threading.enumerate())  # of which some may be on their way out
    with Bar(total=3):
        assert set(threading.enumerate()) <= before


def test_time_that_is_paused_is_in_neither_the_rate_nor_the_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream, now = Stream(), [100.0]
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("time.time", lambda: now[0])
    with Bar(total=40, mininterval=0) as bar:
        monkeypatch.setattr(bar, "_time", lambda: now[0])
        bar.start_t = bar.last_print_t = now[0]
        for _ in range(20):
            now[0] += 0.5
            bar.update()
            with bar.paused():
                now[0] += 60
        assert bar.format_dict["rate"] == pytest.approx(2)
        assert bar.format_dict["elapsed"] == pytest.approx(10)
        bar.refresh()
        assert "00:10<00:10" in stream.getvalue().split("\r")[-1]


def test_a_bar_that_is_not_shown_can_be_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Stream(terminal=False))
    with Bar(total=3) as bar, bar.paused():
        pass
