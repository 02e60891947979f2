"""What a run says never ends it: stderr may be closed, gone or full."""

from __future__ import annotations

import io
import sys

import pytest

from wn_train import progress


class Refusing(io.StringIO):
    """A stream whose other end is gone."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    "stream",
    [None, closed(), Refusing(True), Refusing(False)],
    ids=["none", "closed", "gone", "pipe"],
)
def test_a_stream_that_takes_nothing_is_passed_over(
    stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    progress.line("step 1")
    with progress.bar(True, total=3) as bar:
        for _ in range(3):
            bar.update()
            bar.refresh()
            bar.set_postfix(bits="3.5")


def test_a_bar_is_shown_on_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, shown, seen in (
        (Terminal(), True, True),
        (Terminal(), False, False),
        (io.StringIO(), True, False),
    ):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress.bar(shown, total=3, desc="reading") as bar:
            bar.refresh()
        assert ("reading" in stream.getvalue()) == seen


def test_a_line_is_one_line_whatever_names_are_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    progress.line("1 file is clipped: a\x1b[2J\nb.wav")
    assert capsys.readouterr().err == "1 file is clipped: a\\x1b[2J\\nb.wav\n"
