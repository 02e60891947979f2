"""A bundle, a folder or a .tar: its files are held to its own sums, as install.sh does."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from wn_export.bundle.place import INSTALL, SUMS, sha256
from wn_export.shipped.shipped import Line, Shipped, checked
from wn_runtime import files, temporary
from wn_runtime.commands import next_step
from wn_runtime.commands.spec_view import condition_lines, spec_lines
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.inspection import FileCheck

_MODEL = f"model/{manifests.MANIFEST}"
_SUM = re.compile(r"([0-9a-f]{64})  (\S.*)")


def folder(path: Path) -> Shipped | None:
    """None for what is no bundle."""
    if not (path / INSTALL).is_file():
        return None
    try:
        sums = _sums(files.read_text(path / SUMS))
    except (OSError, ValueError):
        return None
    checks = tuple(_held(checked(path, name), sums) for name in sums)
    following = next_step.line("wn-inspect", path / "model")
    return Shipped("bundle", tuple(_about(path / "model")), checks, following)


def tar(path: Path) -> Shipped | None:
    """None for what is no bundle. Nothing is unpacked but the manifest, to be read."""
    try:
        with files.opened(path) as file, tarfile.open(fileobj=file, mode="r:") as archive:
            return _of_tar(archive)
    except (tarfile.TarError, OSError, ValueError):
        return None


def _of_tar(archive: tarfile.TarFile) -> Shipped | None:
    first = archive.next()
    if first is None or not first.isfile() or Path(first.name).name != SUMS:
        return None
    top = first.name.partition("/")[0]
    with _open(archive, first) as file:
        sums = _sums(file.read(files.MOST_TEXT).decode())
    found: dict[str, FileCheck] = {}
    about: list[Line] = []
    for member in archive:
        name = member.name.removeprefix(f"{top}/")
        if name not in sums or not member.isfile():
            continue
        with _open(archive, member) as file:
            found[name] = _held(FileCheck(name, "ok", member.size, sha256(file)), sums)
        if name == _MODEL:
            with _open(archive, member) as file, temporary.folder() as made:
                (made / manifests.MANIFEST).write_bytes(file.read(files.MOST_TEXT))
                about = list(_about(made))
    checks = tuple(found.get(name, FileCheck(name, "missing", 0, "")) for name in sums)
    following = f"taken by  sh {top}/{INSTALL}, where it is unpacked on the device"
    return Shipped("bundle, in a .tar", tuple(about), checks, following)


def _open(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    if file is None:
        raise tarfile.TarError(f"{member.name} is no file")
    return file


def _sums(text: str) -> dict[str, str]:
    """Names to SHA-256. Raises ValueError for another kind of file."""
    lines = [_SUM.fullmatch(line) for line in text.splitlines()]
    if not lines or None in lines:
        raise ValueError("no sums")
    return {line[2]: line[1] for line in lines if line is not None}


def _held(check: FileCheck, sums: Mapping[str, str]) -> FileCheck:
    same = check.status != "ok" or check.sha256 == sums[check.name]
    return check if same else dataclasses.replace(check, status="changed")


def _about(model: Path) -> Iterator[Line]:
    """The model of a bundle, by its manifest; nothing by one that is broken."""
    with contextlib.suppress(WavestepError):
        manifest = manifests.read(model)
        yield "model", manifest.name
        yield from (("spec", line) for line in spec_lines(manifest.spec))
        yield from (("conditions", line) for line in condition_lines(manifest.spec))
        for one in manifest.artifacts:
            yield "engines", f"{one.file}: {one.engine} {one.precision}"
