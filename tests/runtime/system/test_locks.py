"""Locks that hold while their process lives, and waiting that ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wn_runtime.system import pipes
from wn_runtime.system.locks import FolderLock, remove_unlocked

HOLDER = """
import sys
from pathlib import Path
from wn_runtime.system.locks import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_folder_is_locked_until_its_holder_dies(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(BlockingIOError):
            FolderLock(tmp_path, wait=False)
        holder.kill()
    lock = FolderLock(tmp_path, wait=False)
    assert lock.held
    assert lock.is_of(tmp_path)
    lock.close()


def test_a_folder_in_the_place_of_the_locked_one_is_another(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    lock = FolderLock(folder)
    folder.rename(tmp_path / "away")
    assert not lock.is_of(folder)
    folder.mkdir()
    assert not lock.is_of(folder)
    assert lock.is_of(tmp_path / "away")
    lock.close()


def test_what_is_no_folder_or_a_link_to_one_is_not_locked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    for name in ("file", "link", "missing"):
        with pytest.raises(OSError, match=name):
            FolderLock(tmp_path / name, wait=False)


def test_a_file_is_removed_unless_somebody_has_locked_it_or_it_is_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "part", tmp_path / "link"
    path.write_text("")
    link.symlink_to(path)
    with pytest.raises(OSError, match="link"):
        remove_unlocked(link)
    remove_unlocked(path)
    assert not path.exists()


def test_waiting_for_a_pipe_ends_by_the_time_given_and_with_its_end() -> None:
    read, write = os.pipe()
    began = time.monotonic()
    assert not pipes.readable(read, 0.05)
    assert not pipes.readable(read, -1)
    assert time.monotonic() - began >= 0.05
    os.write(write, b"x")
    assert pipes.readable(read, 5)
    assert os.read(read, 9) == b"x"
    os.close(write)
    assert pipes.readable(read)  # its end
    os.close(read)
