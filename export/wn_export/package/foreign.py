"""What a user put into a model directory: kept when the directory is replaced.

Nothing there is opened that could block or never end, and no link is followed: a file gets a second
name in the new directory, and only where the file system has none to give it is copied.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from wn_runtime import atomic, files
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.inspection import REPORTS
from wn_runtime.model.manifest import FileRecord

OURS = frozenset(
    {
        manifests.MANIFEST,
        manifests.WEIGHTS,
        manifests.REFERENCE,
        *REPORTS,
        "step.onnx",
        "step.fp16.onnx",
        "generator.onnx",
        "conditioner.onnx",
        "engine.plan",
        "engine.timing",
    }
)
"""What wn-export writes, whatever it was that is there under these names."""
DEEPEST = 64
"""Folders within folders that are kept."""


def check(directory: Path) -> None:
    """Raise WavestepError for what could not be kept: a folder under a name of ours."""
    for name in OURS:
        path = directory / name
        if path.is_dir() and not path.is_symlink():
            raise WavestepError(
                f"{path} is a directory, where wn-export writes a file; move it away first"
            )


def keep(directory: Path, new: Path) -> None:
    """Put what wn-export did not write into `directory` into `new` too.

    Raises OSError, and WavestepError for what cannot be kept; `directory` stays as it is.
    """
    check(directory)
    keep_beside(foreign(directory), new)


def keep_beside(entries: Iterable[Path], new: Path) -> None:
    """Put files and folders into `new`, where it has nothing of the same name. Raises as `keep`."""
    for entry in entries:
        if not os.path.lexists(new / entry.name):
            _keep(entry, new / entry.name, DEEPEST)


def foreign(directory: Path) -> list[Path]:
    """What lies in a model directory and is neither of our names nor as its manifest has it."""
    try:
        recorded = manifests.read(directory).files
    except WavestepError:
        recorded = {}  # a broken manifest: then only the usual names are taken for ours
    every = sorted(directory.iterdir())
    return [entry for entry in every if not _is_ours(entry, recorded.get(entry.name))]


def _is_ours(entry: Path, record: FileRecord | None) -> bool:
    if entry.name in OURS or _is_in_the_making(entry.name):
        return True
    if record is None:  # a manifest may name what it has never seen: then it is the user's
        return False
    try:
        path = files.inside(entry.parent, entry.name)
        found = files.size_and_sha256(path, record.bytes)  # of a larger file nothing is read
        return found == (record.bytes, record.sha256)
    except OSError:
        return False


def _is_in_the_making(name: str) -> bool:
    """What a killed writer left of one of our files."""
    return any(name.startswith(atomic.stem_of(Path(ours))) and ".part" in name for ours in OURS)


def _keep(source: Path, target: Path, depth: int) -> None:
    mode = source.lstat().st_mode
    if stat.S_ISDIR(mode):
        if not depth:
            raise WavestepError(f"{source} lies over {DEEPEST} folders deep; move it away first")
        target.mkdir()
        for entry in source.iterdir():
            _keep(entry, target / entry.name, depth - 1)
        shutil.copystat(source, target)
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        _copy(source, target, mode)


def _copy(source: Path, target: Path, mode: int) -> None:
    if stat.S_ISLNK(mode):
        target.symlink_to(source.readlink())
    elif stat.S_ISREG(mode):
        with files.opened(source) as old, target.open("xb") as new:
            shutil.copyfileobj(old, new)
        shutil.copystat(source, target)
    else:
        raise WavestepError(f"{source} is neither file nor folder; move it away first")
