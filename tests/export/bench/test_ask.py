"""Another program may hang, flood or leave children: the answer is bounded in time and size."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from wn_export.bench import ask


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


def test_what_it_prints_is_the_answer() -> None:
    assert ask.answer(python("print('A GPU')"), 60) == "A GPU\n"
    assert ask.answer(python("import os; print(os.getcwd())"), 60) == "/\n"


@pytest.mark.parametrize(
    "code",
    [
        "print('x'); raise SystemExit(1)",
        "import os; print('x', flush=True); os.kill(os.getpid(), 9)",
    ],
)
def test_of_one_that_fails_nothing_is_believed(code: str) -> None:
    assert ask.answer(python(code), 60) == ""


def test_one_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert ask.answer([str(tmp_path / "missing")], 60) == ""


def test_one_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    code = f"""
import os, time
child = os.fork()
if child:
    with open({str(tmp_path / "begun")!r}, "w") as file:
        file.write(str(child))
    os.rename({str(tmp_path / "begun")!r}, {str(tmp_path / "child")!r})
time.sleep(1000)
"""
    seconds = 1  # more, where this machine takes as long to start it
    while not (tmp_path / "child").exists():
        assert ask.answer(python(code), seconds) == ""
        seconds *= 4
        assert seconds < 300, "it never began"
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not alive(child):
            return
        time.sleep(0.05)
    pytest.fail("its child is still there")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_one_that_never_stops_talking_is_cut_off() -> None:
    code = "import os\nwhile True: os.write(1, b'x' * 65536)"
    assert ask.answer(python(code), 5) == ""
    endless = ask.started(python(code))
    with endless as process:
        assert process.stdout is not None
        found = ask.read(process.stdout, ask.MOST_BYTES, time.monotonic() + 60)
    assert len(found) == ask.MOST_BYTES


def test_reading_ends_at_the_deadline() -> None:
    with ask.started(python("import time; print('x', flush=True); time.sleep(1000)")) as process:
        assert process.stdout is not None
        assert ask.read(process.stdout, 1, time.monotonic() + 60) == b"x"
        assert ask.read(process.stdout, 100, time.monotonic() + 2) == b"\n"
        assert process.poll() is None
    assert process.returncode < 0  # stopped, the hard way where it must be
    assert os.getpid() != process.pid
