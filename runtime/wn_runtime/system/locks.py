"""Locks that go with the process that holds them, however it ends.

On Linux and macOS the kernel locks the file or folder itself (flock). On Windows a file that is
open can be neither removed nor replaced, which is lock enough; a folder cannot be opened there, so
a file of its name with `.lock` stands beside it, locked, as long as somebody holds it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from wn_runtime.system.opening import FOLDER, NO_LINK, PLAIN

OPEN_FILES_STAY = sys.platform == "win32"
"""Whether an open file can be neither renamed nor removed."""


def lock_file(descriptor: int) -> None:
    """Wait for the lock of an open file. Raises OSError on a file system without locks."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)


def remove_unlocked(path: Path) -> None:
    """Remove a file that nobody has locked. Raises OSError where somebody has, or it is a link."""
    if sys.platform == "win32":
        path.unlink()
        return
    import fcntl

    lock = os.open(path, os.O_RDONLY | NO_LINK | PLAIN)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(lock)


class FolderLock:
    """A folder's lock, from now on until it is closed."""

    def __init__(self, path: Path, wait: bool = True) -> None:
        """wait: for another to give it up, else raises BlockingIOError.

        Raises OSError where there is no such folder, or it is a link. Where the file system has no
        locks, `held` is False.
        """
        self.held = True
        self._beside: Path | None = None
        if sys.platform == "win32":
            self._descriptor = self._lock_beside(path, wait)
            return
        import fcntl

        self._descriptor = os.open(path, os.O_RDONLY | FOLDER | NO_LINK | PLAIN)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(self._descriptor)
            raise
        except OSError:
            self.held = False

    def is_of(self, path: Path) -> bool:
        """Whether the folder there is the one that is locked, and not another of its name."""
        try:
            if self._beside is not None:
                return path.is_dir()
            return os.path.samestat(path.stat(), os.fstat(self._descriptor))
        except OSError:
            return False

    def close(self) -> None:
        """Give it up."""
        os.close(self._descriptor)
        if self._beside is not None:
            with contextlib.suppress(OSError):  # another waits for it
                self._beside.unlink()

    def _lock_beside(self, path: Path, wait: bool) -> int:
        if sys.platform != "win32":
            raise AssertionError
        import msvcrt

        if not path.is_dir() or path.is_symlink():
            raise NotADirectoryError(20, "it is not a folder", str(path))
        self._beside = path.with_name(path.name + ".lock")
        descriptor = os.open(self._beside, os.O_RDWR | os.O_CREAT | PLAIN)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError as error:
            os.close(descriptor)
            raise BlockingIOError(11, "another has locked it", str(path)) from error
        return descriptor
