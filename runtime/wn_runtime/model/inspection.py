"""What a model directory holds, read from its manifest and files: no engine, no device needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wn_runtime import files
from wn_runtime.model import manifest as manifests
from wn_runtime.model.executable import executable
from wn_runtime.model.layout import layout
from wn_runtime.model.locating import locate
from wn_runtime.model.manifest import Artifact, FileRecord, Manifest
from wn_runtime.model.spec import ModelSpec

EXTRA = "extra"
REPORTS = ("report.json", "report.html")
"""Written beside the manifest and left out of its records."""
_MOST_EXTRA = 2**30


@dataclass(frozen=True)
class FileCheck:
    """A file of the directory against its record."""

    name: str
    status: str
    """`ok`, `missing`, `changed` (not what was written), `extra` (in no record), or why it cannot
    be read: a link out of the directory, a pipe, a device."""
    bytes: int
    """Its size now; the recorded one where it is missing."""
    sha256: str
    """As it is now; as recorded where it is missing; empty, and not read for it, where the file is
    larger than its record says, or than a gigabyte without one."""
    code: str | None = None
    """What kind of code it may be, by its first bytes or its name; None: it is data."""


@dataclass(frozen=True)
class Inspection:
    """Everything wn-inspect prints."""

    directory: Path
    manifest: Manifest
    file: str | None
    """The file that was asked about; None for the whole directory."""
    files: tuple[FileCheck, ...]

    @property
    def sound(self) -> bool:
        """Whether every file asked about is what its record says."""
        return all(file.status in ("ok", EXTRA) for file in self.files)

    @property
    def code(self) -> tuple[FileCheck, ...]:
        """The files that are code, or an engine's that is not known to be data."""
        return tuple(file for file in self.files if file.code is not None)

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """The engines asked about: the one of the file, or all."""
        every = self.manifest.artifacts
        return every if self.file is None else tuple(a for a in every if a.file == self.file)


def inspect(path: Path) -> Inspection:
    """Read a model directory, or one file of one.

    Raises WavestepError for a checkpoint, for what is no model directory and for a broken
    manifest. Files that are missing or changed are findings, not errors.
    """
    directory, name = locate(path)
    manifest = manifests.read(directory)
    if name == manifests.MANIFEST:
        name = None
    asked = [name] if name is not None else _names(directory, manifest)
    files = tuple(_check(directory, each, manifest.files.get(each)) for each in asked)
    return Inspection(directory, manifest, name, files)


def state_bytes(spec: ModelSpec) -> int:
    """Bytes of a network's state for one stream."""
    return sum(array.stream_bytes for array in layout(spec).values())


def _names(directory: Path, manifest: Manifest) -> list[str]:
    known = [*manifest.files, *(a.file for a in manifest.artifacts if a.file not in manifest.files)]
    beside = sorted(p.name for p in directory.iterdir() if not p.is_dir() or p.is_symlink())
    return known + [n for n in beside if n not in (*known, manifests.MANIFEST, *REPORTS)]


def _check(directory: Path, name: str, recorded: FileRecord | None) -> FileCheck:
    known = recorded or FileRecord("0" * 64, 0)
    try:
        path = files.inside(directory, name)
        size, sha256 = files.size_and_sha256(path, _MOST_EXTRA if recorded is None else known.bytes)
        code = executable(path)
    except FileNotFoundError:
        return FileCheck(name, "missing", known.bytes, known.sha256)
    except OSError as error:
        return FileCheck(name, f"unreadable: {error.strerror}", known.bytes, known.sha256)
    same = (size, sha256) == (known.bytes, known.sha256)
    status = EXTRA if recorded is None else "ok" if same else "changed"
    return FileCheck(name, status, size, sha256, code)
