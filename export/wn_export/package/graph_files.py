"""What every model directory holds whatever it was exported from: weights, graphs, manifest."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import onnx
import safetensors.numpy

from wn_export.graphs.builder import ELEMENT, OPSET
from wn_export.graphs.chunk import build_chunk_graph
from wn_export.graphs.conditioner import build_conditioner_graph
from wn_export.graphs.step import build_step_graph
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact, FileRecord, Manifest
from wn_runtime.model.weights import Weights

CONDITIONER = "conditioner.onnx"


@dataclass(frozen=True)
class Graphs:
    """Which step graphs to write."""

    precisions: tuple[str, ...] = ("fp32",)
    batch: int = 1
    """B: streams a call."""
    steps: int = 1
    """K: with more than one, a graph that makes K samples a call beside each step graph."""


STEP = Graphs()
"""One float32 step graph of one stream."""


def graphs_of(manifest: Manifest) -> Graphs:
    """The step graphs that a model directory has."""
    found = [artifact for artifact in manifest.artifacts if artifact.engine == "onnx"]
    if not found:
        return STEP
    return Graphs(
        precisions=tuple(p for p in ELEMENT if any(graph.precision == p for graph in found)),
        batch=max(graph.batch for graph in found),
        steps=max(graph.steps_per_call for graph in found),
    )


def write_models(directory: Path, manifest: Manifest, weights: Weights, graphs: Graphs) -> Manifest:
    """Write weights and graphs into `directory`; the manifest with their records, written too."""
    spec, batch = manifest.spec, graphs.batch
    path = directory / manifests.WEIGHTS
    path.write_bytes(safetensors.numpy.save(dict(weights)))
    manifest = with_file(manifest, path)
    if spec.conditions:
        _write_graph(directory / CONDITIONER, build_conditioner_graph(spec, weights, batch))
        manifest = with_file(manifest, directory / CONDITIONER)
    for precision in graphs.precisions:
        models = {1: build_step_graph(spec, weights, precision, batch)}
        if graphs.steps > 1:
            models[graphs.steps] = build_chunk_graph(spec, weights, graphs.steps, precision, batch)
        for steps, graph in models.items():
            name = graph_name(precision, steps)
            built = {"opset": OPSET, "nodes": len(graph.graph.node), "onnx": onnx.__version__}
            artifact = Artifact(name, "onnx", precision, batch, steps, built)
            record = _write_graph(directory / name, graph)
            manifest = manifests.with_artifact(manifest, artifact, record)
    manifests.write(directory, manifest)
    return manifest


def with_file(manifest: Manifest, path: Path) -> Manifest:
    """The manifest with the record of a file as it is now."""
    return dataclasses.replace(
        manifest, files={**manifest.files, path.name: manifests.record(path)}
    )


def graph_name(precision: str, steps: int = 1) -> str:
    """`step.onnx`, `step.fp16.onnx`; of eight samples a call, `chunk8.onnx`."""
    first = "step" if steps == 1 else f"chunk{steps}"
    return f"{first}.onnx" if precision == "fp32" else f"{first}.{precision}.onnx"


def _write_graph(path: Path, graph: onnx.ModelProto) -> FileRecord:
    path.write_bytes(graph.SerializeToString(deterministic=True))
    return manifests.record(path)
