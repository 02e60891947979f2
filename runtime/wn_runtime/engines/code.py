"""Which files of a model directory are code, and how a user comes to trust them."""

from __future__ import annotations

from pathlib import Path

from wn_runtime.engines import trust
from wn_runtime.engines.registry import ENGINES
from wn_runtime.model.manifest import Artifact, Manifest
from wn_runtime.model.package import open_package


def code_artifacts(manifest: Manifest) -> list[Artifact]:
    """The engines' files that are machine code; one of an engine that is not known here is too."""
    data = {kind.artifact or kind.name for kind in ENGINES.values() if not kind.artifact_is_code}
    return [artifact for artifact in manifest.artifacts if artifact.engine not in data]


def trust_code(path: str | Path) -> list[Path]:
    """Trust the code of a model directory from now on, or one file of it; the files that are new.

    Everything is checked against its record first. Raises WavestepError for a broken directory,
    and where the list of what is trusted cannot be written.
    """
    package, named = open_package(path)
    chosen = code_artifacts(package.manifest) if named is None else [named]
    package.verify(*(artifact.file for artifact in chosen)) if chosen else None
    known = trust.trusted()
    digests = {package.manifest.files[a.file].sha256: package.directory / a.file for a in chosen}
    new = {digest: file for digest, file in digests.items() if digest not in known}
    if new:
        trust.add({digest: str(file.absolute()) for digest, file in new.items()})
    return list(new.values())
