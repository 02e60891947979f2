"""Compiled libraries, kept for the next time in a directory that only this user can write.

    $XDG_CACHE_HOME/wavestep/native-<key>/      mode 0700
        wavenet.so
        sha256                                  of wavenet.so

An entry is made beside its place and renamed into it, whole. One that is damaged, or that another
user owns or could have written, is never loaded: it is made again. What nobody has used for a
month is deleted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from wn_runtime.engines.cache.directory import cache_directory
from wn_runtime.errors import WavestepError

LIBRARY = "wavenet.so"
_CHECKSUM = "sha256"
_MONTH = 30 * 24 * 3600.0


def cached(key: str, make: Callable[[Path], None]) -> Path:
    """The library of that key; `make(path)` writes it where there is none to be trusted."""
    root = cache_directory()
    entry = root / f"native-{key}"
    if not _trusted(entry):
        fresh = Path(tempfile.mkdtemp(prefix=".part-", dir=root))
        try:
            make(fresh / LIBRARY)
            digest = hashlib.sha256((fresh / LIBRARY).read_bytes()).hexdigest()
            (fresh / _CHECKSUM).write_text(digest + "\n", "ascii")
            entry = _place(fresh, entry)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        _forget_unused(root)
    with contextlib.suppress(OSError):
        os.utime(entry)  # used now
    return entry / LIBRARY


def _trusted(entry: Path) -> bool:
    """Whether an entry is whole, and this user's alone to write."""
    try:
        for path in (entry, entry / LIBRARY, entry / _CHECKSUM):
            status = path.lstat()
            foreign = status.st_uid != os.geteuid() or status.st_mode & 0o022
            if foreign or stat.S_ISLNK(status.st_mode):
                return False
        digest = hashlib.sha256((entry / LIBRARY).read_bytes()).hexdigest()
        return (entry / _CHECKSUM).read_text("ascii").strip() == digest
    except (OSError, UnicodeDecodeError):
        return False


def _forget_unused(root: Path) -> None:
    for entry in root.iterdir():
        with contextlib.suppress(OSError):
            if entry.name.startswith(("native-", ".part-", ".old-")) and (
                entry.stat().st_mtime < time.time() - _MONTH
            ):
                shutil.rmtree(entry)


def _place(fresh: Path, entry: Path) -> Path:
    """Rename `fresh` to `entry`, in place of what must not be there.

    Another process may have made the same entry meanwhile: then that one is as good.
    """
    for _ in range(3):
        try:
            os.rename(fresh, entry)
            return entry
        except OSError:
            if _trusted(entry):
                return entry
            away = Path(tempfile.mkdtemp(prefix=".old-", dir=entry.parent))
            try:
                os.rename(entry, away / "entry")
            except FileNotFoundError:  # another process moved it first
                pass
            except OSError as error:
                raise WavestepError(f"{entry} cannot be replaced ({error}); delete it") from error
            finally:
                shutil.rmtree(away, ignore_errors=True)
    raise WavestepError(f"{entry} keeps coming back broken; delete {entry.parent}")
