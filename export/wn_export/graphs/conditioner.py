"""conditioner.onnx: named conditions to the bias of every layer's gate, once per block.

What wn_runtime/conditioner.py computes in NumPy, for hosts that are not Python.
"""

from __future__ import annotations

import json

import numpy as np
import onnx

from wn_export.graphs.builder import GraphBuilder
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights, check


def build_conditioner_graph(spec: ModelSpec, weights: Weights, batch: int = 1) -> onnx.ModelProto:
    """The checked graph of a model that has conditions, float32.

    Inputs by condition name: categorical [B] int32, -1 for none; tags [B, n] float32, multi-hot.
    Output: bias [1, L, B, G]. Raises WavestepError where the weights are not the spec's.
    """
    check(weights, spec, "conditioner graph")
    assert spec.conditions, "a model without conditions has no conditioner graph"
    graph = GraphBuilder("conditioner", "fp32")
    parts = []
    for condition in spec.conditions:
        name, table = condition.name, weights[f"condition.{condition.name}.weight"]  # [n, L, G]
        each = graph.shape(batch, spec.layers, spec.gate)
        if condition.kind == "categorical":
            # A zero row first, so that -1 + 1 finds nothing to add.
            none = np.zeros_like(table[:1])
            rows = graph.constant(f"{name}/table", np.concatenate([none, table]))
            index = graph.input(name, [batch], np.int32)
            one = graph.constant(f"{name}/one", np.array([1], np.int32))
            shifted = graph.node("Add", f"{name}/row", index, one)
            parts.append(graph.node("Gather", f"{name}/bias", rows, shifted))  # [B, L, G]
        else:
            flat = graph.constant(f"{name}/table", table.reshape(len(table), -1))
            given = graph.input(name, [batch, len(table)])
            product = graph.node("MatMul", f"{name}/product", given, flat)  # [B, L*G]
            parts.append(graph.node("Reshape", f"{name}/bias", product, each))
    total = parts[0]
    for i, part in enumerate(parts[1:], 1):
        total = graph.node("Add", f"sum{i}", total, part)
    shape = [1, spec.layers, batch, spec.gate]
    by_layer = graph.node("Transpose", "by_layer", total, perm=[1, 0, 2])  # [L, B, G]
    graph.node("Reshape", "bias", by_layer, graph.shape(*shape))
    graph.output("bias", shape)
    return graph.model({"spec": json.dumps(spec.to_dict()), "batch": str(batch)})
