"""What lies in a folder, to be compared before and after a command."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

Tree = dict[str, str]
"""Path within the folder to what is there: type, and size and digest, or where a link leads."""

_LARGE = 64 << 20
"""Bytes above which a file counts as the same by size and time."""


def look(root: Path) -> Tree:
    """Everything below `root`; nothing is followed, no special file is opened."""
    found: Tree = {}
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = Path(folder, name)
            found[str(path.relative_to(root))] = _entry(path)
    return found


def changes(before: Tree, after: Tree) -> dict[str, tuple[str | None, str | None]]:
    """Paths whose entries differ: what was there, and what is; None: nothing."""
    return {
        path: (before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    }


def _entry(path: Path) -> str:
    status = path.lstat()
    mode = status.st_mode
    if stat.S_ISLNK(mode):
        return f"link to {path.readlink()}"
    if stat.S_ISDIR(mode):
        return "folder"
    if not stat.S_ISREG(mode):
        return f"special {stat.S_IFMT(mode):o}"
    if status.st_size > _LARGE:
        return f"file {status.st_size} at {status.st_mtime_ns}"
    return f"file {status.st_size} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
