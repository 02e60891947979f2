"""Model directories of small random models, as wn-export lays them out, without its parity run."""

from __future__ import annotations

from pathlib import Path

import onnx
from safetensors.numpy import save_file

from tests.specs import random_weights
from wn_export.graphs.step import build_step_graph
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact, FileRecord, Manifest
from wn_runtime.model.spec import ModelSpec


def write_model(
    directory: Path,
    spec: ModelSpec,
    precisions: tuple[str, ...] = ("fp32",),
    batch: int = 1,
    seed: int = 0,
) -> Path:
    """A directory of a model with `random_weights(spec, seed)` and a step graph a precision."""
    directory.mkdir(parents=True, exist_ok=True)
    weights = random_weights(spec, seed)
    save_file(weights, directory / manifests.WEIGHTS)
    artifacts = []
    for precision in precisions:
        name = "step.onnx" if precision == "fp32" else f"step.{precision}.onnx"
        onnx.save(build_step_graph(spec, weights, precision, batch), directory / name)
        artifacts.append(Artifact(name, "onnx", precision, batch))
    files = [manifests.WEIGHTS, *(artifact.file for artifact in artifacts)]
    manifest = Manifest(
        format=manifests.FORMAT,
        name=directory.name,
        spec=spec,
        files={name: manifests.record(directory / name) for name in files},
        artifacts=tuple(artifacts),
    )
    manifests.write(directory, manifest)
    return directory


def records(directory: Path) -> dict[str, FileRecord]:
    """What lies in a directory now."""
    return {path.name: manifests.record(path) for path in directory.iterdir()}
