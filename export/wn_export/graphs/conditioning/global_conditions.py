"""Global conditions: one row of a table a value, as the runtime's GlobalConditioner has it."""

from __future__ import annotations

import numpy as np

from wn_export.graphs.conditioning.part import GraphPart
from wn_runtime.conditioning.global_conditions import GlobalConditions


def add(part: GraphPart, conditioner: GlobalConditions) -> str:
    """The bias [1, L, B, G] of the named values.

    Adds an input for each condition: categorical [B] int32, -1 for none; tags [B, n] float32.
    """
    graph, spec, batch = part.graph, part.spec, part.batch
    total = None
    for condition in conditioner.conditions:
        name = condition.name
        table = part.weights[f"condition.{name}.weight"]  # [n, L, G]
        if condition.kind == "categorical":
            # A zero row first, so that -1 + 1 finds nothing to add.
            rows = graph.constant(
                f"{name}/table", np.concatenate([np.zeros_like(table[:1]), table])
            )
            one = graph.constant(f"{name}/one", np.array([1], np.int32))
            row = graph.node("Add", f"{name}/row", graph.input(name, [batch], np.int32), one)
            bias = graph.node("Gather", f"{name}/bias", rows, row)  # [B, L, G]
        else:
            flat = graph.constant(f"{name}/table", table.reshape(len(table), -1))
            given = graph.input(name, [batch, len(table)])
            product = graph.node("MatMul", f"{name}/product", given, flat)  # [B, L*G]
            shape = graph.shape(batch, spec.layers, spec.gate_channels)
            bias = graph.node("Reshape", f"{name}/bias", product, shape)
        total = bias if total is None else graph.node("Add", f"{name}/sum", total, bias)
    assert total is not None, "a conditioner without conditions cannot be made"
    by_layer = graph.node("Transpose", part.name("by_layer"), total, perm=[1, 0, 2])  # [L, B, G]
    rows_of = graph.shape(1, spec.layers, batch, spec.gate_channels)
    return graph.node("Reshape", part.name("bias"), by_layer, rows_of)
