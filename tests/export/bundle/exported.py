"""Model directories as an export for a device leaves them, small and without torch."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tests.export.references import reference_of
from tests.models.model_dir import write_model
from tests.models.specs import random_weights
from wn_export.bundle.bundle import Bundle
from wn_export.bundle.systems import System
from wn_export.parity import reference
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.spec import ModelSpec

JETPACKS = (System("JetPack 6", "3.10", 12), System("JetPack 7", "3.12", 13))


def bundle_for(path: Path, machine: str = "aarch64", **more: object) -> Bundle:
    """Of an Orin, unless something else is said."""
    made = Bundle(path, "an Orin", True, machine, "8.7", JETPACKS, ("3.10", "3.12"))
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def write_exported(
    directory: Path, spec: ModelSpec, conditions: dict[str, str] | None = None
) -> Path:
    """With a reference; no engine was compiled."""
    write_model(directory, spec)
    found = reference_of(spec, 0, conditions, (40,), random_weights(spec, 0))
    reference.save(directory / manifests.REFERENCE, found)
    manifest = manifests.with_file(manifests.read(directory), directory / manifests.REFERENCE)
    manifests.write(directory, manifest)
    return directory


def with_code(directory: Path, file: str, engine: str, **built: object) -> None:
    """Add what stands for machine code."""
    (directory / file).write_bytes(file.encode())
    artifact = Artifact(file, engine, "fp32", 1, built=built)
    record = manifests.record(directory / file)
    manifests.write(directory, manifests.with_artifact(manifests.read(directory), artifact, record))
