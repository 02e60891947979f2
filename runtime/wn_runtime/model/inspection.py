"""What a model directory holds, read from its manifest and files: no engine, no device needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wn_runtime.model import manifest as manifests
from wn_runtime.model.layout import layout
from wn_runtime.model.manifest import Artifact, FileRecord, Manifest
from wn_runtime.model.spec import ModelSpec

REPORTS = ("report.json", "report.html")
"""Written beside the manifest and left out of its records."""


@dataclass(frozen=True)
class FileCheck:
    """A file of the directory against its record."""

    name: str
    status: str
    """`ok`, `missing`, `changed` (not what was written), or `extra` (in no record)."""
    bytes: int
    """Its size now; the recorded one where it is missing."""
    sha256: str
    """As it is now; as recorded where it is missing."""


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
        return all(file.status in ("ok", "extra") for file in self.files)

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
    directory, name = manifests.locate(path)
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
    beside = sorted(p.name for p in directory.iterdir() if p.is_file())
    return known + [n for n in beside if n not in (*known, manifests.MANIFEST, *REPORTS)]


def _check(directory: Path, name: str, recorded: FileRecord | None) -> FileCheck:
    try:
        found = manifests.record(directory / name)
    except OSError:
        if recorded is None:  # an engine without file or record
            return FileCheck(name, "missing", 0, "")
        return FileCheck(name, "missing", recorded.bytes, recorded.sha256)
    if recorded is None:
        return FileCheck(name, "extra", found.bytes, found.sha256)
    status = "ok" if found == recorded else "changed"
    return FileCheck(name, status, found.bytes, found.sha256)
