"""generator.onnx: any number of samples of B streams, straight from the spec and the weights.

    uniforms, bias, known ─ a row a sample ─┐
    state.… ────────────────────────────────┴─ loop of blocks ─ scan of samples ─┬─ samples ─ audio
                                                                                 └─ next.…

In opset 17, of ONNX's own operators, and in float32; what a host needs besides is ONNX Runtime.
"""

from __future__ import annotations

import json

import numpy as np
import onnx

from wn_export.graphs.builder import GraphBuilder
from wn_export.graphs.generator import draws, rules
from wn_export.graphs.generator.audio import add_audio
from wn_export.graphs.generator.block import Block
from wn_export.graphs.generator.lines import Lines
from wn_export.graphs.generator.rows import Row, Rows
from wn_export.graphs.step import residual_offsets, tap_constants
from wn_runtime.engines.generator.signature import BLOCK, KNOWN, GeneratorSignature
from wn_runtime.heads.head import Head
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights, check

_LARGEST = 3e38
"""Nothing finite is so large that it matters."""


def build_generator_graph(spec: ModelSpec, weights: Weights, batch: int = 1) -> onnx.ModelProto:
    """The checked generator graph of `batch` streams.

    Its inputs and outputs are those of `GeneratorSignature`. Raises WavestepError where the weights
    are not the spec's, and for a head that has no draw as a graph.
    """
    check(weights, spec, "generator graph")
    draw, lines = draws.find(spec.output, batch), Lines(spec)
    graph = GraphBuilder("generator", "fp32")
    signature = GeneratorSignature.of(spec, batch)
    for name, tensor in signature.inputs.items():
        graph.input(name, tensor.sizes, tensor.dtype)
    draws.add_temperatures(graph, batch)
    graph.node("Shape", "call/samples", "uniforms", start=0, end=1)  # [1]
    rows = {
        **draw.prepare(graph),
        **_known(graph, spec.output, batch),
        **_bias(graph, spec, weights, lines),
    }
    body = Block(spec, weights, lines, draw, rows, batch).build()
    _loop(graph, body)
    _outputs(graph, spec, batch)
    for name, tensor in signature.outputs.items():
        graph.output(name, tensor.sizes, tensor.dtype)
    metadata = {
        "spec": json.dumps(spec.to_dict()),
        "precision": "fp32",
        "batch": str(batch),
        "block": str(BLOCK),
        "sample_rate": str(spec.sample_rate),
        "silence": str(spec.output.silence),
    }
    return graph.model(metadata, rules.require)


def _known(graph: GraphBuilder, head: Head, batch: int) -> Rows:
    """Of each sample, whether it is known beforehand, and which it is."""
    zero = graph.constant("call/zero", np.array(0))
    one = graph.constant("call/one", np.array(1))
    count = graph.node("Shape", "known/count", KNOWN, start=0, end=1)  # [1]
    samples = graph.node("Squeeze", "call/samples_scalar", "call/samples")
    times = graph.node("Range", "call/times", zero, samples, one)
    graph.node("Less", "call/is_known", times, count)
    graph.cast("call/any_known", graph.node("Greater", "known/any", count, zero), np.int64)
    missing = graph.node("Sub", "known/missing", "call/samples", count)
    known = graph.padded("known/all", KNOWN, missing, (batch,), head.sample_dtype)
    graph.node("Reshape", "call/known", known, graph.shape(-1, batch, 1))
    return {
        "known": Row((batch, 1), head.sample_dtype),
        "is_known": Row((), np.dtype(np.bool_)),
    }


def _bias(graph: GraphBuilder, spec: ModelSpec, weights: Weights, lines: Lines) -> Rows:
    """The row of bias that each sample has, and the bias of near and far layers."""
    if not spec.conditioning:
        return {}
    constants = tap_constants(weights, residual_offsets(spec, weights))
    for part, layers in (("near", lines.near), ("far", lines.far)):
        if layers:
            which = graph.constant(f"bias/{part}/layers", np.array(layers))
            own = graph.node("Gather", f"bias/{part}/own", "bias", which, axis=1)
            added = graph.constant(f"bias/{part}/constants", constants[list(layers)][:, None])
            graph.node("Add", f"call/bias/{part}", own, added)
    count = graph.node("Shape", "bias/count", "bias", start=0, end=1)
    row = graph.node("Mul", "bias/times", "call/times", count)
    graph.node("Div", "call/row", row, "call/samples")
    return {"row": Row((), np.dtype(np.int64))}


def _loop(graph: GraphBuilder, body: onnx.GraphProto) -> None:
    """Every block: `made/samples` [blocks, K, B, 1], `made/finite`, `made/params`."""
    size = graph.constant("call/size", np.array(BLOCK))
    more = graph.constant("call/size_less_1", np.array(BLOCK - 1))
    blocks = graph.node("Add", "call/up", "call/samples_scalar", more)
    blocks = graph.node("Div", "call/blocks", blocks, size)
    always = graph.constant("call/always", np.array(True))
    sample = graph.node("Transpose", "call/sample", "state.samples", perm=[1, 0])  # [B, k0]
    graph.several(
        "Loop",
        "blocks",
        [blocks, always, sample, "state.delay_lines"],
        ["sample/last", "next.delay_lines", "made/samples", "made/finite", "made/params_all"],
        body=body,
    )
    graph.node("Transpose", "next.samples", "sample/last", perm=[1, 0])


def _outputs(graph: GraphBuilder, spec: ModelSpec, batch: int) -> None:
    """The call's samples, audio and params, without what fills up the last block."""
    head, first = spec.output, graph.shape(0)
    for name, source in (("call/drawn", "made/samples"), ("call/finite", "made/finite")):
        flat = graph.node("Reshape", f"{name}/all", source, graph.shape(-1, batch))
        graph.node("Slice", name, flat, first, "call/samples")
    params = graph.node(
        "Reshape", "params/all", "made/params_all", graph.shape(-1, batch, head.params)
    )
    graph.node("Slice", "params", params, first, "known/count")
    add_audio(graph, spec, "call/drawn", batch)
    size = graph.node("Abs", "finite/size", "call/finite")
    is_finite = graph.node(
        "Less", "finite/is", size, graph.constant("finite/largest", np.array(_LARGEST))
    )
    wrong = -1 if head.codes is not None else np.nan
    nothing = graph.constant("finite/nothing", np.array(wrong, head.sample_dtype))
    graph.node("Where", "samples", is_finite, "call/drawn", nothing)
