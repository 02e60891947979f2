"""What a run says never ends it: stderr may be closed, gone or full."""

from __future__ import annotations

import io
import sys

import pytest

from wn_train import progress


class Refusing(io.StringIO):
    """A stream whose other end is gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    "stream",
    [None, closed(), Refusing()],
    ids=["none", "closed", "gone"],
)
def test_a_stream_that_takes_nothing_is_passed_over(
    stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    progress.line("step 1")


def test_a_line_is_one_line_whatever_names_are_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    progress.line("1 file is clipped: a\x1b[2J\nb.wav")
    assert capsys.readouterr().err == "1 file is clipped: a\\x1b[2J\\nb.wav\n"
