"""Files that are replaced whole or not at all: written beside their place, then renamed.

    theo.wav                      the old one, untouched until the new one is whole
    .theo.wav.3f09c2a1.part.wav   the new one in the making, locked as long as its writer lives

Killed at any moment, a file is the old one or the new one. What a killed writer leaves in the
making is cleared by the next that writes the same file. The names are random, not a process's
number: two containers that share a folder both have a process 7.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wn_runtime.system import locks
from wn_runtime.system.opening import PLAIN

_LONGEST = 180  # bytes of a name, with which the name in the making still fits a file system


class Part:
    """A file in the making beside its place, locked until it has been placed or dropped."""

    def __init__(self, path: Path) -> None:
        """Raises OSError where nothing can be written there."""
        self._final = path
        _clear_abandoned(path)
        self.path, lock = _locked(path)
        """Where to write to; of the same suffix."""
        self._lock: int | None = lock

    def place(self) -> None:
        """Give it its name, in place of what bears that. Raises OSError; then that is kept."""
        if locks.OPEN_FILES_STAY:
            self._close()
        self.path.replace(self._final)
        self._close()

    def drop(self) -> None:
        """Leave nothing of it."""
        if locks.OPEN_FILES_STAY:
            self._close()
        self.path.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place beside `path`, of the same suffix, to write to; renamed to `path` at the end.

    Where the `with` block raises, nothing is left of it, and what was at `path` stays.
    """
    part = Part(path)
    try:
        yield part.path
        part.place()
    except BaseException:
        with contextlib.suppress(OSError):  # placed and closed already, or gone with the disk
            part.drop()
        raise


def write(path: Path, data: str | bytes) -> None:
    """Replace the file at `path`. Raises OSError; the old file is kept then."""
    with replacing(path) as part:
        part.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)


def stem_of(path: Path) -> str:
    """How the names in the making of `path` begin."""
    name = path.name
    if len(os.fsencode(name)) > _LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return f".{name}."


def _locked(path: Path) -> tuple[Path, int]:
    suffix = path.suffix if len(path.suffix) <= 8 else ""
    while True:
        part = path.with_name(f"{stem_of(path)}{secrets.token_hex(4)}.part{suffix}")
        lock = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | PLAIN, 0o666)
        try:
            locks.lock_file(lock)
            if os.fstat(lock).st_nlink:  # else another's clearing was quicker than our lock
                return part, lock
        except OSError:  # a file system without locks: nothing there is ever cleared
            return part, lock
        os.close(lock)


def _clear_abandoned(path: Path) -> None:
    """Remove what writers of the same file left when they were killed: it is not locked."""
    stem = stem_of(path)
    left: list[str] = []
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        left = [entry.path for entry in entries if _is_part(entry.name, stem)]
    for each in left:
        with contextlib.suppress(OSError):  # another's, or cleared by another, or locked
            locks.remove_unlocked(Path(each))


def _is_part(name: str, stem: str) -> bool:
    """Whether it is `.NAME.<8 hexadecimal digits>.part<suffix>`."""
    token, dot, rest = name.removeprefix(stem).partition(".")
    return (
        name.startswith(stem)
        and len(token) == 8
        and all(digit in "0123456789abcdef" for digit in token)
        and bool(dot)
        and rest.startswith("part")
    )
