"""A run's folder: one process at a time, and nothing left of what came to nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wn_runtime.errors import WavestepError
from wn_train.training.folder import run_folder

HOLDER = """
import sys, time
from pathlib import Path
from wn_train.training.folder import run_folder
with run_folder(Path(sys.argv[1]), make=True):
    print("held", flush=True)
    time.sleep(600)
"""


def test_folders_that_stay_empty_go_again(tmp_path: Path) -> None:
    with run_folder(tmp_path / "runs" / "mine", make=True):
        assert (tmp_path / "runs" / "mine").is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_stays(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "mine"
    with run_folder(run, make=True):
        (run / "last.pt").touch()
    assert (run / "last.pt").exists()


def test_an_empty_folder_that_was_there_stays(tmp_path: Path) -> None:
    with run_folder(tmp_path, make=True):
        pass
    assert tmp_path.is_dir()


def test_a_second_process_is_refused_until_the_first_is_gone_even_by_kill_9(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", HOLDER, str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        for make in (True, False):
            with (
                pytest.raises(WavestepError, match="another wn-train is training into it"),
                run_folder(run, make),
            ):
                pytest.fail("both have it")
        assert run.is_dir(), "the refused one leaves what is not its own"
        process.send_signal(signal.SIGKILL)
    with run_folder(run, make=True):
        pass


def test_a_file_system_without_locks_is_trained_on_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_file: int, _how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refused)
    with run_folder(tmp_path / "run", make=True):
        assert (tmp_path / "run").is_dir()


def test_a_folder_that_is_removed_meanwhile_is_not_trained_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    monkeypatch.setattr("fcntl.flock", lambda _file, _how: run.rmdir())
    with (
        pytest.raises(WavestepError, match="was removed by another wn-train; try again"),
        run_folder(run, make=True),
    ):
        pytest.fail("it is gone")


def test_places_where_no_folder_can_be_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("gone")
    for place in ("file", "file/run", "loop", "loop/run", "nowhere", "x" * 300):
        with (
            pytest.raises(WavestepError, match="cannot be made") as error,
            run_folder(tmp_path / place, make=True),
        ):
            pytest.fail("it was made")
        assert "\n" not in str(error.value)
    with (
        pytest.raises(WavestepError, match="cannot be gone on with"),
        run_folder(tmp_path / "none", make=False),
    ):
        pytest.fail("it was made")
    with (
        pytest.raises(WavestepError, match="cannot be made"),
        run_folder(Path("/dev/null"), make=True),
    ):
        pytest.fail("it was made")
    assert sorted(os.listdir(tmp_path)) == ["file", "loop", "nowhere"]  # noqa: PTH208


def test_a_folder_that_is_read_only_is_said_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # root may write everywhere
    with (
        pytest.raises(WavestepError, match="cannot be written: it is read-only"),
        run_folder(tmp_path / "run", make=True),
    ):
        pytest.fail("it was taken")
    assert list(tmp_path.iterdir()) == []
