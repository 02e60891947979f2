"""Folders that are replaced whole or not at all: made beside their place, then exchanged with it.

    voice/                  the old one, untouched until the new one is whole
    .voice.3f09c2a1.part/   the new one in the making, locked as long as its writer lives

What a killed writer leaves in the making is cleared by the next that writes the same folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wn_runtime import atomic, exchange
from wn_runtime.interrupts import Held
from wn_runtime.temporary import Spare


@contextmanager
def in_the_making(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, to be filled and `put`; what is in it at the end is removed.

    Raises OSError.
    """
    spare = Spare()
    try:
        _clear_abandoned(target)
        path, lock = _locked(target)
        try:
            yield path
        finally:
            spare.release()
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
    finally:
        spare.release()


def put(path: Path, target: Path) -> None:
    """Give a folder in the making its place; the one that was there is removed.

    Raises OSError; then both are as they were.
    """
    with Held():  # a signal would come between the names
        exchange.place(path, target)
    shutil.rmtree(path, ignore_errors=True)  # the old one, under its new name


def _locked(target: Path) -> tuple[Path, int]:
    while True:
        path = target.with_name(f"{atomic.stem_of(target)}{secrets.token_hex(4)}.part")
        path.mkdir()
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            path.rmdir()
            raise
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # given up with our last breath
        except OSError:  # a file system without locks: nothing there is ever cleared
            return path, lock
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(lock)):
                return path, lock
        os.close(lock)  # another's clearing was quicker than our lock


def _clear_abandoned(target: Path) -> None:
    """Remove what writers of the same folder left when they were killed: it is not locked."""
    for path in exchange.left(target):
        with contextlib.suppress(OSError), exchange.locked(path):
            shutil.rmtree(path, ignore_errors=True)
