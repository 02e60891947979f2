"""conditioner.onnx: conditions and frames to the bias of every layer's gate, once a block.

What wn_runtime.conditioning computes in NumPy, for hosts that are not Python.
"""

from __future__ import annotations

import json

import onnx

from wn_export.graphs.builder import GraphBuilder
from wn_export.graphs.conditioner_signature import ConditionerSignature, block_length, states_of
from wn_export.graphs.conditioning.part import GraphPart
from wn_export.graphs.conditioning.registry import PARTS
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights, check


def build_conditioner_graph(spec: ModelSpec, weights: Weights, batch: int = 1) -> onnx.ModelProto:
    """The checked graph of a model that has conditioning, float32: see ConditionerSignature.

    Raises WavestepError where the weights are not the spec's.
    """
    check(weights, spec, "conditioner graph")
    assert spec.conditioning, "a model without conditioning has no conditioner graph"
    graph = GraphBuilder("conditioner", "fp32")
    block = block_length(spec)
    signature = ConditionerSignature.of(spec, batch, block, {})
    frames, history = (
        graph.input(name, signature.inputs[name].shape, signature.inputs[name].dtype)
        if name in signature.inputs
        else None
        for name in ("frames", "history")
    )
    total, rows = None, 1
    for index, conditioner in enumerate(spec.conditioning):
        if conditioner.kind not in PARTS:
            raise WavestepError(unknown("conditioner", conditioner.kind, PARTS, "graphs are of"))
        part = GraphPart(graph, spec, weights, batch, block, index, frames, history)
        bias = PARTS[conditioner.kind](part, conditioner)
        count = block // conditioner.hold if conditioner.hold else 1
        total, rows = _sum(graph, spec, batch, (total, rows), (bias, count), index)
        for name, following in part.states.items():
            graph.node("Identity", name.replace("state.", "next.", 1), following)
    assert total is not None
    graph.node("Identity", "bias", total)
    every = Conditioner(spec, weights).start({}, 1)
    carried = {name: array for name, array in every.items() if f"next.{name}" in graph.names}
    for name, array in carried.items():
        if array.any():
            raise WavestepError(f"state.{name} does not begin as zeros, as hosts have it")
    states = states_of(carried, batch)
    for name, tensor in ConditionerSignature.of(spec, batch, block, states).outputs.items():
        graph.output(name, tensor.shape, tensor.dtype)
    timing = Timing.of(spec.conditioning)
    metadata = {
        "spec": json.dumps(spec.to_dict()),
        "batch": str(batch),
        "block": str(block),
        "hop": str(timing.hop),
        "lookahead": str(timing.lookahead),
    }
    return graph.model(metadata)


def _sum(
    graph: GraphBuilder,
    spec: ModelSpec,
    batch: int,
    one: tuple[str | None, int],
    other: tuple[str, int],
    index: int,
) -> tuple[str, int]:
    """Two biases, each held for its own number of samples, added: (node, rows)."""
    if one[0] is None:
        return other
    few, many = sorted((one, other), key=lambda bias: bias[1])
    assert few[0] is not None and many[0] is not None  # noqa: PT018
    if 1 < few[1] < many[1]:
        times = many[1] // few[1]
        shape = (few[1], times, spec.layers, batch, spec.gate_channels)
        rows = graph.node("Unsqueeze", f"sum{index}/each", few[0], graph.shape(1))
        rows = graph.node("Expand", f"sum{index}/held", rows, graph.shape(*shape))
        flat = graph.shape(many[1], *shape[2:])
        few = (graph.node("Reshape", f"sum{index}/rows", rows, flat), many[1])
    assert few[0] is not None
    return graph.node("Add", f"sum{index}/all", few[0], many[0]), many[1]
