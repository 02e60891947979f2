"""A file that a user names for a result: opened before the work, written when it is done.

A file is replaced whole or stays as it was; a link goes on being one, and a device or a named pipe
is written into. What cannot be written is an error before anything is measured, not after, and so
is what must not be replaced: a file of a model and, by a report in JSON, what is no such report.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator, Set
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from wn_runtime import files
from wn_runtime.atomic import Part
from wn_runtime.commands.replaceable import check_no_model_file
from wn_runtime.errors import WavestepError
from wn_runtime.system.opening import NO_WAITING, PLAIN


class _Place(Protocol):
    def write(self, data: bytes) -> None: ...

    def drop(self) -> None: ...


@contextmanager
def opened(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Yields what takes the result, once. Without it nothing changes at `path`.

    Raises WavestepError where it cannot be written, or is a file of a model.
    """
    check_no_model_file(path)
    with _telling(path):
        place = _place(path)
    written = False

    def write(data: bytes) -> None:
        nonlocal written
        with _telling(path):
            place.write(data)
        written = True

    try:
        yield write
    finally:
        if not written:
            with contextlib.suppress(OSError):  # placed already, or gone with the disk
                place.drop()


def opened_json(path: Path, keys: Set[str]) -> AbstractContextManager[Callable[[bytes], None]]:
    """The same for a report in JSON: an object with these keys, and perhaps others.

    Raises WavestepError, too, where a file is there that is no report of this kind.
    """
    check_no_model_file(path)  # before it is said that it may be deleted
    try:
        there = path.is_file() and not is_stdout(path)
    except (OSError, ValueError):  # no name of a file: `opened` says so
        there = False
    if there and not _holds_report(path, keys):
        raise WavestepError(
            f"{path} is there and is no report of this command; give another name, or delete it"
        )
    return opened(path)


def _holds_report(path: Path, keys: Set[str]) -> bool:
    """Whether a file is a report of this kind, or empty: what is lost can be made again."""
    try:
        text = files.read_text(path).strip()
        if not text:
            return True
        found = json.loads(text)
        return isinstance(found, dict) and found.keys() >= keys
    except (OSError, ValueError, RecursionError):
        return False


def is_stdout(path: Path) -> bool:
    """Whether what is written there comes out on stdout, and is to be alone in it."""
    try:
        return _is_stdout(path.stat())
    except (OSError, ValueError):
        return False


def _place(path: Path) -> _Place:
    try:
        status = path.stat()
    except FileNotFoundError:
        status = None
    if status is not None and _is_stdout(status):
        return _Stdout()
    if status is None or stat.S_ISREG(status.st_mode):
        final = path.resolve()
        if not final.parent.is_dir():
            raise WavestepError(f"{path}: there is no directory {final.parent}; make it first")
        if status is not None and not os.access(final, os.W_OK):
            raise PermissionError(errno.EACCES, "it is read-only")
        return _Replaced(Part(final))
    if stat.S_ISCHR(status.st_mode) or stat.S_ISFIFO(status.st_mode):
        return _Through(path)
    what = "a directory" if stat.S_ISDIR(status.st_mode) else "neither file nor pipe"
    raise OSError(errno.EINVAL, f"it is {what}")


class _Replaced:
    def __init__(self, part: Part) -> None:
        self._part = part

    def write(self, data: bytes) -> None:
        self._part.path.write_bytes(data)
        self._part.place()

    def drop(self) -> None:
        self._part.drop()


class _Through:
    """A character device or a named pipe, which somebody must read: else it would wait for ever."""

    def __init__(self, path: Path) -> None:
        try:
            self._file: int | None = os.open(path, os.O_WRONLY | NO_WAITING | PLAIN)
        except OSError as error:
            if error.errno == errno.ENXIO:
                raise OSError(errno.ENXIO, "nobody reads it") from error
            raise
        if sys.platform != "win32":
            os.set_blocking(self._file, True)

    def write(self, data: bytes) -> None:
        assert self._file is not None
        descriptor, self._file = self._file, None
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)

    def drop(self) -> None:
        if self._file is not None:
            os.close(self._file)


class _Stdout:
    def write(self, data: bytes) -> None:
        sys.stdout.flush()
        with os.fdopen(1, "wb", closefd=False) as file:
            file.write(data)

    def drop(self) -> None:
        """Nothing was opened."""


def _is_stdout(status: os.stat_result) -> bool:
    """/dev/stdout, or the file it was redirected to: replaced, what it holds would be lost."""
    try:
        return os.path.samestat(status, os.fstat(1))
    except OSError:
        return False


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # whoever read it has gone: no error of ours
        raise
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle; a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise WavestepError(
            f"{path} cannot be written ({reason}); what was there is as it was"
        ) from error
