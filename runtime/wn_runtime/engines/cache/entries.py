"""Compiled code, kept for the next time in a directory that only this user can write.

    $XDG_CACHE_HOME/wavestep/native-<key>/      mode 0700
        wavenet.so
        sha256                                  of wavenet.so
    $XDG_CACHE_HOME/wavestep/zig/               what a compiler keeps for itself

The key is a digest of all that the code depends on: sources, compilers, drivers, shapes. An entry
is made beside its place and renamed into it, whole. One that is damaged, or that another user owns
or could have written, is never loaded: it is made again. What nobody has used for a month is
deleted.
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
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from wn_runtime import temporary
from wn_runtime.engines.cache.directory import cache_directory
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.files import read_text, size_and_sha256
from wn_runtime.log import log

_CHECKSUM = "sha256"
_MOST = 64 * 2**20
"""Bytes of code: the largest library has a hundredth of that."""
_MONTH = 30 * 24 * 3600.0
T = TypeVar("T")
seconds_making = 0.0
"""What this process has spent on making entries: by so much a first use takes longer."""


@dataclass(frozen=True)
class Entry:
    """One piece of compiled code."""

    kind: str
    """One of KINDS: how its directory's name begins."""
    file: str
    """The code's name in it."""
    depends_on: tuple[str, ...]
    """All that it is made from and for; another of any of these is another entry."""

    @property
    def name(self) -> str:
        """Of its directory."""
        digest = hashlib.sha256("\0".join(self.depends_on).encode())
        return f"{self.kind}-{digest.hexdigest()[:32]}"


KINDS = ("native", "ahead", "cubin")
FOLDERS = ("zig",)
"""What compilers keep for themselves."""


def folder(name: str) -> Path:
    """One of FOLDERS, made where it is not there or could have been written by another user.

    Raises WavestepError where it cannot be made.
    """
    place = cache_directory() / name
    try:
        if place.is_symlink() or (place.exists() and not _private(place)):
            _discard(place)
        place.mkdir(mode=0o700, exist_ok=True)
        os.utime(place)  # used now
    except OSError as error:
        raise WavestepError(f"{place} cannot be made ({error.strerror}); delete it") from error
    return place


def load(entry: Entry, make: Callable[[Path], None], read: Callable[[Path], T]) -> T:
    """What `read(path)` makes of an entry; `make(path)` writes it where none is to be trusted.

    An entry that `read` refuses with a WavestepError is made anew, once. Raises EngineUnavailable
    with the reason where that one is refused too.
    """
    path = cached(entry, make)
    try:
        return read(path)
    except EngineUnavailable:
        raise
    except WavestepError:
        _discard(path.parent)
    path = cached(entry, make)
    try:
        return read(path)
    except EngineUnavailable:
        raise
    except WavestepError as error:
        raise EngineUnavailable(f"{error}, though just compiled") from error


def cached(entry: Entry, make: Callable[[Path], None]) -> Path:
    """The path of an entry's code; `make(path)` writes it where there is none to be trusted."""
    global seconds_making
    root = cache_directory()
    place = root / entry.name
    if _trusted(place, entry.file):
        log.info("compiled before: %s", place)
    else:
        began = time.perf_counter()
        with temporary.folder(".part-", root) as fresh:
            make(fresh / entry.file)
            _, digest = size_and_sha256(fresh / entry.file)
            (fresh / _CHECKSUM).write_text(digest + "\n", "ascii")
            place = _place(fresh, place, entry.file)
        took = time.perf_counter() - began
        seconds_making += took
        log.info("made in %.2f s, and kept: %s", took, place)
        _forget_unused(root)
    with contextlib.suppress(OSError):
        os.utime(place)  # used now
    return place / entry.file


def _trusted(place: Path, file: str) -> bool:
    """Whether an entry is whole, and this user's alone to write."""
    try:
        if not all(map(_private, (place, place / file, place / _CHECKSUM))):
            return False
        _, digest = size_and_sha256(place / file, _MOST)
        return read_text(place / _CHECKSUM).strip() == digest
    except (OSError, UnicodeDecodeError):
        return False


def _private(path: Path) -> bool:
    """Whether it is no link, and this user's alone to write. Raises OSError."""
    status = path.lstat()
    foreign = status.st_uid != os.geteuid() or status.st_mode & 0o022
    return not (foreign or stat.S_ISLNK(status.st_mode))


def _forget_unused(root: Path) -> None:
    for entry in root.iterdir():
        with contextlib.suppress(OSError):
            ours = entry.name.startswith((*(f"{kind}-" for kind in KINDS), ".part-", ".old-"))
            if (ours or entry.name in FOLDERS) and entry.stat().st_mtime < time.time() - _MONTH:
                shutil.rmtree(entry)


def _place(fresh: Path, place: Path, file: str) -> Path:
    """Rename `fresh` to `place`, instead of what must not be there.

    Another process may have made the same entry meanwhile: then that one is as good.
    """
    for _ in range(3):
        try:
            fresh.rename(place)
            return place
        except OSError:
            if _trusted(place, file):
                return place
            _discard(place)
    raise WavestepError(f"{place} keeps coming back broken; delete {place.parent}")


def _discard(place: Path) -> None:
    """Move a directory out of the way in one step, then delete it."""
    away = Path(tempfile.mkdtemp(prefix=".old-", dir=place.parent))
    try:
        place.rename(away / "entry")
    except FileNotFoundError:  # another process moved it first
        pass
    except OSError as error:
        raise WavestepError(f"{place} cannot be replaced ({error}); delete it") from error
    finally:
        shutil.rmtree(away, ignore_errors=True)
