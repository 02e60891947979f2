"""A model directory is replaced as a whole or not at all.

    digits/             the old one, untouched until the new one is complete and proven
    .digits.part-4711/  the new one in the making, locked by process 4711 as long as it lives
    digits.failed/      where a new one goes whose parity failed

Publishing is one exchange of two names. Killed at any moment, `digits/` is the old directory or
the new one, whole; what a killed export leaves in the making is cleared by the next.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest

REPORTS = ("report.json", "report.html")
_OURS = {
    manifest.MANIFEST,
    manifest.WEIGHTS,
    manifest.REFERENCE,
    *REPORTS,
    "step.onnx",
    "step.fp16.onnx",
    "conditioner.onnx",
    "engine.plan",
    "engine.timing",
}

_DISK_REFUSES = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    errno.ENOTDIR,
    errno.ENAMETOOLONG,
    errno.EEXIST,
}


class Staged:
    """A directory in the making: write into `path`, then `publish` it or `set_aside`."""

    def __init__(self, target: Path, path: Path) -> None:
        self.target = target
        self.path = path

    def publish(self) -> None:
        """Make this the directory at `target`; files there that no export wrote are kept."""
        _flush(self.path)
        if not self.target.exists():
            self.path.rename(self.target)
            return
        for entry in _foreign(self.target):
            _copy(entry, self.path / entry.name)
        _exchange(self.path, self.target)
        shutil.rmtree(self.path, ignore_errors=True)  # the old directory, under its new name

    def set_aside(self) -> Path:
        """Keep this as DIR.failed, in place of an older one; `target` stays as it is."""
        failed = failed_name(self.target)
        if failed.exists():
            _exchange(self.path, failed)
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            self.path.rename(failed)
        return failed


@contextmanager
def staged(target: Path) -> Iterator[Staged]:
    """Stage a directory for `target`; what is neither published nor set aside is removed.

    Raises WavestepError where `target` is not ours to replace, or the disk refuses to be written.
    """
    if target.is_symlink() or target.name in ("", ".."):
        target = target.resolve()
    check_replaceable(target)
    check_replaceable(failed_name(target))
    path = target.with_name(f".{target.name}.part-{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(target)
        path.mkdir()
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # given up with our last breath
            yield Staged(target, path)
        finally:
            os.close(lock)
    except OSError as error:
        if error.errno not in _DISK_REFUSES:
            raise
        where = f" ({error.filename})" if error.filename else ""
        raise WavestepError(
            f"{target} cannot be written: {error.strerror}{where}; what was there is as it was"
        ) from error
    finally:
        shutil.rmtree(path, ignore_errors=True)


def check_replaceable(target: Path) -> None:
    """Raise WavestepError unless `target` is free, an empty directory or a model directory."""
    if not target.exists():
        return
    if not target.is_dir():
        raise WavestepError(f"{target} exists and is not a directory; give another -o")
    entries = sorted(entry.name for entry in target.iterdir())
    if entries and manifest.MANIFEST not in entries:
        raise WavestepError(
            f"{target} is not a model directory (it holds {entries[0]!r} and no "
            f"{manifest.MANIFEST}), so it is not replaced; give another -o"
        )


def failed_name(target: Path) -> Path:
    """DIR.failed."""
    return target.with_name(target.name + ".failed")


def size(directory: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _clear_abandoned(target: Path) -> None:
    """Remove what exports to the same target left when they were killed: it is not locked."""
    prefix = f".{target.name}.part-"
    for path in [path for path in target.parent.iterdir() if path.name.startswith(prefix)]:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            continue  # another export to the same target is alive; the last to publish wins
        finally:
            os.close(lock)


def _foreign(directory: Path) -> list[Path]:
    """What lies in a model directory and neither wn-export nor its manifest knows."""
    known = set(_OURS)
    try:
        old = manifest.read(directory)
        known |= {*old.files, *(artifact.file for artifact in old.artifacts)}
    except WavestepError:
        pass  # a broken manifest: then only the usual names are taken for ours
    return [entry for entry in sorted(directory.iterdir()) if entry.name not in known]


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        return
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)


def _flush(directory: Path) -> None:
    """To the disk, so that a power cut after the exchange finds the files whole."""
    for path in [*directory.iterdir(), directory]:
        if path.is_file() or path == directory:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def _exchange(one: Path, other: Path) -> None:
    """Swap two directories' names at once (renameat2), or in three renames where that lacks."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is not None:
        paths = os.fsencode(one), os.fsencode(other)
        if renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0:
            return
        code = ctypes.get_errno()
        if code not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise OSError(code, os.strerror(code), str(other))
    between = one.with_name(one.name + ".old")
    if between.exists():
        shutil.rmtree(between)
    other.rename(between)
    one.rename(other)
    between.rename(one)
