"""Folders that are replaced whole or not at all: made beside their place, then exchanged with it.

    voice/                  the old one, untouched until the new one is whole
    .voice.3f09c2a1.part/   the new one in the making, locked as long as its writer lives

What a killed writer leaves in the making is cleared by the next that writes the same folder.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wn_runtime import atomic, exchange
from wn_runtime.interrupts import Held
from wn_runtime.system.locks import FolderLock
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
            lock.close()
    finally:
        spare.release()


def put(path: Path, target: Path) -> None:
    """Give a folder in the making its place; the one that was there is removed.

    Raises OSError; then both are as they were.
    """
    with Held():  # a signal would come between the names
        exchange.place(path, target)
    shutil.rmtree(path, ignore_errors=True)  # the old one, under its new name


def _locked(target: Path) -> tuple[Path, FolderLock]:
    while True:
        path = target.with_name(f"{atomic.stem_of(target)}{secrets.token_hex(4)}.part")
        path.mkdir()
        try:
            lock = FolderLock(path)
        except OSError:
            path.rmdir()
            raise
        # Without locks nothing is ever cleared there; else another's clearing may be the quicker.
        if not lock.held or lock.is_of(path):
            return path, lock
        lock.close()


def _clear_abandoned(target: Path) -> None:
    """Remove what writers of the same folder left when they were killed: it is not locked."""
    for path in exchange.left(target):
        with contextlib.suppress(OSError), exchange.locked(path):
            shutil.rmtree(path, ignore_errors=True)
