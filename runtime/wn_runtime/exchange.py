"""One directory in the place of another: by one exchange of two names, where the system has that.

Where it has not, the old one is for a moment neither here nor there:

    .digits.3f09c2a1.part.old/   the old one, between the two renames

An export that finds it and no `digits/` puts it back.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wn_runtime import atomic
from wn_runtime.system.locks import FolderLock

_AT_FDCWD = -100
_RENAME_EXCHANGE = _RENAME_SWAP = 2
_LACKING = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


def place(new: Path, target: Path) -> None:
    """Give `new` the name `target`; what was there has the name `new` then, or is gone.

    Raises OSError; then both are as they were.
    """
    try:
        new.rename(target)  # nothing is there, or an empty directory
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        if not _exchanged(new, target):
            _in_turn(new, target)


def restore(target: Path) -> None:
    """Put the directory back that an export had moved away from `target` when it was killed."""
    for old in left(target, r"\.old"):
        with contextlib.suppress(OSError), locked(old):
            if target.exists():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.rename(target)


def left(target: Path, suffix: str = "") -> list[Path]:
    """What exports to `target` have made beside it, or left; none where nobody may look."""
    pattern = re.compile(re.escape(atomic.stem_of(target)) + r"[0-9a-f]{8}\.part" + suffix)
    try:
        return [path for path in target.parent.iterdir() if pattern.fullmatch(path.name)]
    except OSError:
        return []


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """A directory that nobody else has locked. Raises OSError where somebody has."""
    lock = FolderLock(directory, wait=False)
    try:
        if not lock.held:
            raise OSError(errno.ENOLCK, "its file system has no locks", str(directory))
        yield
    finally:
        lock.close()


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two names at once (renameat2, renamex_np); False where that is not to be had."""
    if sys.platform == "win32":
        return False
    library, paths = ctypes.CDLL(None, use_errno=True), (os.fsencode(one), os.fsencode(other))
    if hasattr(library, "renameat2"):
        failed = library.renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE)
    elif hasattr(library, "renamex_np"):  # macOS
        failed = library.renamex_np(*paths, _RENAME_SWAP)
    else:
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    if code not in _LACKING:
        raise OSError(code, os.strerror(code), str(other))
    return False


def _in_turn(new: Path, target: Path) -> None:
    between = new.with_name(new.name + ".old")
    with contextlib.ExitStack() as held:
        with contextlib.suppress(BlockingIOError):  # so that no other export puts it back meanwhile
            held.callback(FolderLock(target.resolve(), wait=False).close)
        target.rename(between)
        try:
            new.rename(target)
        except OSError:
            between.rename(target)
            raise
        shutil.rmtree(between, ignore_errors=True)
