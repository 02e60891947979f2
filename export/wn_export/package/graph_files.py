"""What every model directory holds whatever it was exported from: weights, graphs, manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import safetensors.numpy

from wn_export.graphs.conditioner import build_conditioner_graph
from wn_export.graphs.generator.graph import build_generator_graph
from wn_export.graphs.parser_rules import OPSET
from wn_export.graphs.step import build_step_graph
from wn_export.parity.conditioner import CONDITIONER
from wn_runtime.engines.generator.kind import GENERATOR
from wn_runtime.engines.generator.signature import BLOCK, GeneratorSignature
from wn_runtime.engines.step_signature import ELEMENTS, Tensor
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact, FileRecord, Manifest
from wn_runtime.model.weights import Weights

GENERATOR_FILE = "generator.onnx"


@dataclass(frozen=True)
class Graphs:
    """Which graphs to write."""

    precisions: tuple[str, ...] = ("fp32",)
    batch: int = 1
    """B: streams a call."""
    generator: bool = False
    """Whether there is a generator graph too."""


STEP = Graphs()
"""One float32 step graph of one stream."""


def graphs_of(manifest: Manifest) -> Graphs:
    """The graphs that a model directory has."""
    found = [artifact for artifact in manifest.artifacts if artifact.engine == "onnx"]
    if not found:
        return STEP
    return Graphs(
        precisions=tuple(p for p in ELEMENTS if any(graph.precision == p for graph in found)),
        batch=max(graph.batch for graph in found),
        generator=any(artifact.engine == GENERATOR.name for artifact in manifest.artifacts),
    )


def write_models(directory: Path, manifest: Manifest, weights: Weights, graphs: Graphs) -> Manifest:
    """Write weights and graphs into `directory`; the manifest with their records, written too."""
    spec, batch = manifest.spec, graphs.batch
    path = directory / manifests.WEIGHTS
    path.write_bytes(safetensors.numpy.save(dict(weights)))
    manifest = manifests.with_file(manifest, path)
    if spec.conditioning:
        _write_graph(directory / CONDITIONER, build_conditioner_graph(spec, weights, batch))
        manifest = manifests.with_file(manifest, directory / CONDITIONER)
    for precision in graphs.precisions:
        graph = build_step_graph(spec, weights, precision, batch)
        built = {"opset": OPSET, "nodes": len(graph.graph.node), "onnx": onnx.__version__}
        artifact = Artifact(graph_name(precision), "onnx", precision, batch, built)
        record = _write_graph(directory / artifact.file, graph)
        manifest = manifests.with_artifact(manifest, artifact, record)
    if graphs.generator:
        manifest = _with_generator(directory, manifest, weights, batch)
    manifests.write(directory, manifest)
    return manifest


def graph_name(precision: str) -> str:
    """`step.onnx`, `step.fp16.onnx`."""
    return "step.onnx" if precision == "fp32" else f"step.{precision}.onnx"


def _with_generator(directory: Path, manifest: Manifest, weights: Weights, batch: int) -> Manifest:
    """generator.onnx; its record has what a host binds, for those that cannot ask the graph."""
    graph = build_generator_graph(manifest.spec, weights, batch)
    signature = GeneratorSignature.of(manifest.spec, batch)
    built = {
        "opset": OPSET,
        "onnx": onnx.__version__,
        "block": BLOCK,
        "inputs": _described(signature.inputs),
        "outputs": _described(signature.outputs),
    }
    artifact = Artifact(GENERATOR_FILE, GENERATOR.name, "fp32", batch, built)
    record = _write_graph(directory / artifact.file, graph)
    return manifests.with_artifact(manifest, artifact, record)


def _described(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {
        name: {"type": tensor.dtype.name, "shape": list(tensor.sizes)}
        for name, tensor in tensors.items()
    }


def _write_graph(path: Path, graph: onnx.ModelProto) -> FileRecord:
    path.write_bytes(graph.SerializeToString(deterministic=True))
    return manifests.record(path)
