"""A bundle, a folder or a .tar, is written beside its place, then renamed: whole or not at all.

What is there already is replaced only where it is a bundle, and holds nothing else.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from wn_runtime import atomic, folders
from wn_runtime.errors import WavestepError

SUMS, INSTALL = "SHA256SUMS", "install.sh"
TAR = ".tar"
_ARCHIVES = (".gz", ".tgz", ".zip", ".xz", ".bz2", ".zst", ".7z")
_EPOCH = 315532800  # 1980, as in the wheel

Contents = Mapping[str, bytes | Path]
"""Names with forward slashes to what is in them, or to the file that is to be copied."""


def checked(path: Path) -> Path:
    """Where a bundle is to be, a link followed. Raises WavestepError for what is not replaced."""
    if path.is_symlink():
        try:
            there = path.resolve()
        except (OSError, RuntimeError):  # what links in a circle raise, up to Python 3.12
            there = path
        if there.is_symlink():
            raise WavestepError(f"{path} is a link that leads nowhere; give another")
        path = there
    if path.suffix.lower() in _ARCHIVES:
        raise WavestepError(f"--bundle {path} is neither a folder nor a .tar; give one of these")
    if not path.name or path.name == "..":
        raise WavestepError(f"--bundle {path} cannot be a folder of its own; give a name")
    if not os.path.lexists(path):
        return path
    stranger = _tar_stranger(path) if path.suffix == TAR else _folder_stranger(path)
    if stranger is not None:
        raise WavestepError(
            f"{path} {stranger}, so it is not replaced; move it away, or give another --bundle"
        )
    return path


def put(path: Path, contents: Contents) -> None:
    """Write a bundle to a path that was `checked`, in the order of its names.

    Raises WavestepError, and OSError of a disk that refuses; what was there is as it was then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == TAR:
        with atomic.replacing(path) as part:
            _write_tar(part, path.stem, contents)
            checked(path)  # it may have come meanwhile
        return
    with folders.in_the_making(path) as made:
        for name, content in contents.items():
            file = made / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                file.write_bytes(content)
            else:
                shutil.copyfile(content, file)
            file.chmod(_mode(name))
        folders.put(made, checked(path))


def digest(content: bytes | Path) -> str:
    """SHA-256 of a file that is to be."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return sha256(file)


def sha256(file: IO[bytes]) -> str:
    """SHA-256 of what is left of an open file."""
    found = hashlib.sha256()
    while block := file.read(2**20):
        found.update(block)
    return found.hexdigest()


def _write_tar(path: Path, top: str, contents: Contents) -> None:
    """Nothing of when, where and by whom: the same contents are the same bytes."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.mtime, info.mode = _EPOCH, _mode(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
                continue
            info.size = content.stat().st_size
            with content.open("rb") as file:
                archive.addfile(info, file)


def _mode(name: str) -> int:
    return 0o755 if name == INSTALL else 0o644


def _folder_stranger(path: Path) -> str | None:
    """What there is no bundle's, in words; None for a bundle or nothing."""
    if not path.is_dir():
        return "is a file, and no .tar"
    if not any(path.iterdir()):
        return None
    try:
        sums = (path / SUMS).read_text("utf-8")
    except (OSError, ValueError):
        return f"is not a bundle (it has no {SUMS})"
    written = {line.partition("  ")[2] for line in sums.splitlines()} | {SUMS, INSTALL}
    files = (each for each in path.rglob("*") if each.is_symlink() or not each.is_dir())
    others = sorted({each.relative_to(path).as_posix() for each in files} - written)
    return f"holds {others[0]!r}, which is not of a bundle" if others else None


def _tar_stranger(path: Path) -> str | None:
    """As of a folder; a bundle begins with its sums."""
    if not path.is_file():
        return "is not a file"
    try:
        with tarfile.open(path, "r:") as archive:
            first = archive.next()
    except (tarfile.TarError, OSError):
        first = None
    if first is None or Path(first.name).name != SUMS:
        return f"is not a bundle (it does not begin with {SUMS})"
    return None
