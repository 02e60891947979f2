"""Reading files that somebody else may have made: regular ones only, of a size known beforehand.

Opening a named pipe waits for ever, reading /dev/zero never ends, and a link in a model directory
may lead to a file that its sender should not get to see. Every function here raises OSError, with
its reason in `strerror`, and never blocks.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from wn_runtime.system.opening import NO_WAITING, PLAIN

MOST_TEXT = 16 * 2**20
"""Bytes of a text file (a manifest, a configuration) that are read."""
_CHUNK = 1 << 20
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file, open for reading."""
    try:
        descriptor = os.open(path, os.O_RDONLY | NO_WAITING | PLAIN)
    except ValueError as error:  # a NUL in the name
        raise OSError(errno.EINVAL, "its name holds a NUL", str(path)) from error
    except PermissionError as error:
        if path.is_dir():  # Windows opens none
            raise OSError(errno.EINVAL, "it is a directory, not a file", str(path)) from error
        raise
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        what = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"it is {what}, not a file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        yield file


def read(path: Path, most: int) -> bytes:
    """All of a regular file that has at most so many bytes."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = b"" if size > most else file.read(most + 1)
        if size > most or len(data) > most:
            raise OSError(
                errno.EFBIG, f"it has {max(size, most + 1)} bytes, over {most}", str(path)
            )
        return data


def read_text(path: Path, most: int = MOST_TEXT) -> str:
    """A regular UTF-8 file as text. Raises UnicodeDecodeError, a ValueError, for another one."""
    return read(path, most).decode("utf-8")


def inside(directory: Path, name: str) -> Path:
    """The regular file `name` of a directory, with no link in its way that leads elsewhere."""
    try:
        root = directory.resolve()
        path = (root / name).resolve()
    except RuntimeError as error:
        raise OSError(errno.ELOOP, "it is a link in a circle", str(directory / name)) from error
    if path.parent != root:
        raise OSError(errno.EPERM, "it is a link that leads out of the directory", str(path))
    return path


def size_and_sha256(path: Path, most: int | None = None) -> tuple[int, str]:
    """Bytes and SHA-256 of a regular file; where it has more than `most` bytes, of no content."""
    digest = hashlib.sha256()
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if most is not None and size > most:
            return size, ""
        count = 0
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            count += len(chunk)
    return count, digest.hexdigest()
