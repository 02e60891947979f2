"""Model directories of small random models, as wn-export lays them out, without its parity run."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tests.models.specs import random_weights
from wn_export.package.graph_files import Graphs, write_models
from wn_runtime.model import manifest as manifests
from wn_runtime.model.layout import layout
from wn_runtime.model.manifest import FileRecord, Manifest
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights


def write_model(
    directory: Path,
    spec: ModelSpec,
    precisions: Sequence[str] = ("fp32",),
    batch: int = 1,
    seed: int = 0,
    generator: bool = False,
    weights: Weights | None = None,
) -> Path:
    """A directory of a model with `random_weights(spec, seed)` and a step graph a precision.

    generator: with a generator graph too; weights: others than these.
    """
    directory.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(
        format=manifests.FORMAT, name=directory.name, spec=spec, files={}, state=layout(spec)
    )
    graphs = Graphs(tuple(precisions), batch, generator)
    given = random_weights(spec, seed) if weights is None else weights
    write_models(directory, manifest, given, graphs)
    return directory


def with_default(directory: Path, engine: str, precision: str) -> Path:
    """The directory with a default precision, as parity would have found it."""
    manifest = manifests.read(directory)
    defaults = {**manifest.default_precision, engine: precision}
    manifests.write(directory, dataclasses.replace(manifest, default_precision=defaults))
    return directory


def records(directory: Path) -> dict[str, FileRecord]:
    """What lies in a directory now."""
    return {path.name: manifests.record(path) for path in directory.iterdir()}
