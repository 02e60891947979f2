"""The native library of a named device in the model directory, for where no compiler is."""

from __future__ import annotations

from pathlib import Path

from wn_export.package import cubins
from wn_export.package.cubins import NOT_AHEAD
from wn_export.package.trusted import trust_own
from wn_runtime.engines.cuda.kind import CUDA
from wn_runtime.engines.device_loop import step_cubin
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.engines.native.platforms import SUFFIXES
from wn_runtime.engines.native.precompiled import precompile
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact, Manifest
from wn_runtime.system.here import library_suffix

MOST_BYTES = 2**26
"""Of a library that is kept: a hundred times the largest."""


def library_name(precision: str, system: str = "linux") -> str:
    """`native.int8.so`, `native.int8.dll`."""
    return f"native.{precision}{library_suffix(system)}"


def add_library(
    directory: Path,
    manifest: Manifest,
    march: str,
    target: Path,
    system: str = "linux",
    every: bool = False,
) -> tuple[Manifest, str | None]:
    """Compile the native engine for `march`, one stream, at its default precision.

    every: at each of its precisions, so that the device can prove them. Returns the manifest with
    what was made, not written, and what happened in words: without a compiler for
    that CPU the directory is complete all the same, and the device's own compiler is needed. What
    is compiled here, this user trusts; target: where `directory` is to be.
    """
    made = manifest
    digests: dict[str, Path] = {}
    default = NATIVE.default_precision(manifest)
    for precision in NATIVE.precisions if every else (default,):
        path = directory / library_name(precision, system)
        try:
            artifact = precompile(manifest.spec, precision, march, 1, path, system)
        except (EngineUnavailable, WavestepError) as reason:
            for each in (path.name, *(done.name for done in digests.values())):
                (directory / each).unlink(missing_ok=True)
            return manifest, f"native   {NOT_AHEAD} for {march}: {reason}"
        record = manifests.record(path)
        digests[record.sha256] = target / path.name
        made = manifests.with_artifact(made, artifact, record)
    names = ", ".join(path.name for path in digests.values())
    return made, f"native   {names}, compiled ahead for {march}{trust_own(digests)}"


def keep_libraries(source: Path, old: Manifest, directory: Path, manifest: Manifest) -> Manifest:
    """Copy the libraries and cubins of the directory `source`: their weights are the same.

    They are trusted as much as before: by their digest. Raises WavestepError where one is not the
    file its record describes.
    """
    for artifact in old.artifacts:
        name = artifact.file
        if not _ours(artifact):
            continue  # under another name it could be in the place of a graph
        record = old.files.get(name)
        if record is not None and record.bytes > MOST_BYTES:
            raise WavestepError(
                f"{source / name} has {record.bytes} bytes, over {MOST_BYTES}; export the model "
                "again"
            )
        path = directory / name
        path.write_bytes(manifests.read_file(source, old, name))
        manifest = manifests.with_artifact(manifest, artifact, manifests.record(path))
    return manifest


def _ours(artifact: Artifact) -> bool:
    """Whether it is called what an export calls such a file."""
    if artifact.engine in (CUDA.name, step_cubin.ENGINE):
        return cubins.NAME.fullmatch(artifact.file) is not None
    names = {f"native.{artifact.precision}{suffix}" for suffix in SUFFIXES}
    return artifact.engine == NATIVE.name and artifact.file in names
