"""What every model directory holds whatever it was exported from: weights, graphs, manifest."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import onnx
import safetensors.numpy

from wn_export.conditioner_graph import build_conditioner_graph
from wn_export.graph_builder import OPSET
from wn_export.step_graph import build_step_graph
from wn_runtime import manifest as manifests
from wn_runtime.manifest import Artifact, FileRecord, Manifest
from wn_runtime.weights import Weights

CONDITIONER = "conditioner.onnx"


def write_models(
    directory: Path, manifest: Manifest, weights: Weights, precisions: Sequence[str], batch: int
) -> Manifest:
    """Write weights and graphs into `directory`; the manifest with their records, written too."""
    spec = manifest.spec
    path = directory / manifests.WEIGHTS
    path.write_bytes(safetensors.numpy.save(dict(weights)))
    manifest = with_file(manifest, path)
    if spec.conditions:
        graph = build_conditioner_graph(spec, weights, batch)
        _write_graph(directory / CONDITIONER, graph)
        manifest = with_file(manifest, directory / CONDITIONER)
    for precision in precisions:
        name = graph_name(precision)
        graph = build_step_graph(spec, weights, precision, batch)
        record = _write_graph(directory / name, graph)
        built = {"opset": OPSET, "nodes": len(graph.graph.node), "onnx": onnx.__version__}
        artifact = Artifact(name, "onnx", precision, batch, built=built)
        manifest = manifests.with_artifact(manifest, artifact, record)
    manifests.write(directory, manifest)
    return manifest


def with_file(manifest: Manifest, path: Path) -> Manifest:
    """The manifest with the record of a file as it is now."""
    return dataclasses.replace(
        manifest, files={**manifest.files, path.name: manifests.record(path)}
    )


def graph_name(precision: str) -> str:
    """`step.onnx`, `step.fp16.onnx`."""
    return "step.onnx" if precision == "fp32" else f"step.{precision}.onnx"


def _write_graph(path: Path, graph: onnx.ModelProto) -> FileRecord:
    path.write_bytes(graph.SerializeToString(deterministic=True))
    return manifests.record(path)
