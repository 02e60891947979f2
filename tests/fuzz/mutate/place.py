"""Something else in a file's place: what is no regular file, leads away, or is far too large."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path


def missing(path: Path) -> None:
    """Nothing."""
    _clear(path)


def empty(path: Path) -> None:
    """A file of no bytes."""
    _clear(path)
    path.touch()


def huge(path: Path, gigabytes: int) -> None:
    """Its first bytes, then a hole."""
    if not path.is_file():
        path.touch()
    os.truncate(path, gigabytes << 30)


def fifo(path: Path) -> None:
    """A pipe that nobody writes to."""
    _clear(path)
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    """A socket that nobody listens at."""
    _clear(path)
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as made:
        os.chdir(path.parent)  # its address may have 107 bytes only
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def link(path: Path, to: str) -> None:
    """A link: to a device, to itself, to nothing."""
    _clear(path)
    path.symlink_to(to)


def outside(path: Path) -> None:
    """A link to the same thing, moved out of its directory."""
    beside = Path(os.path.realpath(path.parent)).parent / f"moved-{path.name}"
    path.rename(beside)
    path.symlink_to(beside)


def folder(path: Path) -> None:
    """A directory."""
    _clear(path)
    path.mkdir()


def unreadable(path: Path) -> None:
    """No permissions; root reads it all the same. A link is let be: it may lead to a device."""
    if not path.is_symlink():
        path.chmod(0)


def read_only(path: Path) -> None:
    """No permission to write."""
    if not path.is_symlink():
        path.chmod(0o555 if path.is_dir() else 0o444)


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
