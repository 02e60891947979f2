"""A file is the old one or the new one, whoever is killed whenever."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wn_runtime import atomic


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_new_file_takes_the_place_of_the_old_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with atomic.replacing(path) as part:
        assert part.suffix == ".json"
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.json"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail() -> None:
        with atomic.replacing(path) as part:
            part.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


KILLED = """
import os, sys, time
from pathlib import Path
from wn_runtime import atomic
with atomic.replacing(Path(sys.argv[1])) as part:
    part.write_text("half")
    print(part, flush=True)
    time.sleep(60)
"""


def writer(path: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process in the middle of writing `path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_writer_leaves_is_cleared_by_the_next_and_a_living_ones_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.json"
    dead, left = writer(path)
    living, locked = writer(path)
    with dead, living:
        dead.send_signal(signal.SIGKILL)
        dead.wait()
        assert left.exists()
        atomic.write(path, "new")
        assert not left.exists()
        assert locked.exists()
        living.kill()
    assert path.read_text() == "new"


def test_nothing_else_is_taken_for_something_left(tmp_path: Path) -> None:
    like = [
        ".a.json.12345678",
        ".a.json.1234567x.part.json",
        ".b.json.12345678.part.json",
        "a.part",
    ]
    for name in like:
        (tmp_path / name).write_text("somebody's")
    (tmp_path / ".a.json.12345678.part.json").write_text("left by a killed process")
    atomic.write(tmp_path / "a.json", "new")
    assert names(tmp_path) == sorted([*like, "a.json"])


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 250 + ".json")
    atomic.write(path, "new")
    assert names(tmp_path) == [path.name]


def test_two_writers_at_once_leave_the_whole_file_of_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with atomic.replacing(path) as one, atomic.replacing(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"  # the last to be placed
    assert names(tmp_path) == ["a.json"]
