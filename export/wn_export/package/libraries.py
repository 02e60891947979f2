"""The native library of a named device in the model directory, for where no compiler is."""

from __future__ import annotations

import shutil
from pathlib import Path

from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.engines.native.precompiled import precompile
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest


def library_name(precision: str) -> str:
    """`native.int8.so`."""
    return f"native.{precision}.so"


def add_library(directory: Path, manifest: Manifest, march: str) -> tuple[Manifest, str | None]:
    """Compile the native engine for `march`, one stream, at its default precision.

    Returns the manifest with it, not written, and what happened in words: without a compiler for
    that CPU the directory is complete all the same, and the device's own compiler is needed.
    """
    precision = NATIVE.default_precision(manifest)
    path = directory / library_name(precision)
    try:
        artifact = precompile(manifest.spec, precision, march, 1, path)
    except (EngineUnavailable, WavestepError) as reason:
        path.unlink(missing_ok=True)
        return manifest, f"native   not compiled ahead for {march}: {reason}"
    manifest = manifests.with_artifact(manifest, artifact, manifests.record(path))
    return manifest, f"native   {path.name}, compiled ahead for {march}"


def keep_libraries(source: Path, old: Manifest, directory: Path, manifest: Manifest) -> Manifest:
    """Copy the libraries of the directory `source`: the weights they run are the same.

    Raises WavestepError where one is not the file its record describes.
    """
    for artifact in old.artifacts:
        if artifact.engine == "native":
            manifests.verify(source, old, artifact.file)
            shutil.copyfile(source / artifact.file, directory / artifact.file)
            record = manifests.record(directory / artifact.file)
            manifest = manifests.with_artifact(manifest, artifact, record)
    return manifest
