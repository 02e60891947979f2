"""A context stack's block, as the runtime's ContextConditioner has it."""

from __future__ import annotations

import numpy as np

from wn_export.graphs.conditioning.part import GraphPart
from wn_runtime.conditioning.context_stack import (
    FILTER,
    FILTER_BIAS,
    WAVE,
    WEIGHT,
    ContextStack,
    layer_names,
)


def add(part: GraphPart, stack: ContextStack) -> str:
    """The bias [N, L, B, G] of a block, a row for each frame of the one before.

    state.<index>.wave [W-1, B], where W is over 1; state.<index>.past<i> [(k-1)·d, B, H] a layer.
    """
    graph, name = part.graph, part.name
    count, batch = stack.block // stack.pool, part.batch
    h = _pooled(part, stack)  # [n, B, H]
    for i, dilation in enumerate(stack.dilations):
        rows = stack.past(i)
        past = graph.input(f"state.{part.index}.past{i}", [rows, batch, stack.channels])
        window = graph.node("Concat", name(f"window{i}"), past, h, axis=0)  # [M + n, B, H]
        part.states[past] = part.slice(window, f"newest{i}", count, rows)
        taps = [
            part.slice(window, f"layer{i}/tap{j}", rows - j * dilation, count)
            for j in range(stack.kernel)
        ]
        each = graph.node("Concat", name(f"taps{i}"), *taps, axis=2)  # [n, B, k·H]
        weight, bias = layer_names(i)
        table = graph.constant(weight, part.weights[weight].reshape(-1, stack.channels))
        product = graph.node("MatMul", name(f"product{i}"), each, table)
        sums = graph.node("Add", name(f"a{i}"), product, graph.constant(bias, part.weights[bias]))
        h = graph.node("Add", name(f"h{i}"), h, graph.node("Relu", name(f"relu{i}"), sums))
    table = graph.constant(WEIGHT, part.weights[WEIGHT].reshape(stack.channels, -1))
    flat = graph.node("MatMul", name("bias/flat"), h, table)  # [n, B, L·G]
    shape = graph.shape(count, batch, part.spec.layers, part.spec.gate_channels)
    apart = graph.node("Reshape", name("bias/by_stream"), flat, shape)
    return graph.node("Transpose", name("bias"), apart, perm=[0, 2, 1, 3])


def _pooled(part: GraphPart, stack: ContextStack) -> str:
    """The block before through the filter, averaged: [n, B, H]."""
    graph, name, weights = part.graph, part.name, part.weights
    assert part.history is not None
    wave = part.history  # [B, P]
    if stack.classes:
        wave = graph.node("Gather", name("wave"), graph.constant(WAVE, weights[WAVE]), wave)
    if stack.filter_width > 1:
        past = graph.input(f"state.{part.index}.wave", [stack.filter_width - 1, part.batch])
        before = graph.node("Transpose", name("wave/before"), past, perm=[1, 0])
        wave = graph.node("Concat", name("wave/known"), before, wave, axis=1)  # [B, W-1 + P]
        by_sample = graph.node("Transpose", name("wave/by_sample"), wave, perm=[1, 0])
        newest = part.slice(by_sample, "wave/newest", stack.block, stack.filter_width - 1)
        part.states[past] = newest
    signal = graph.node("Unsqueeze", name("wave/signal"), wave, graph.shape(1))  # [B, 1, W-1 + P]
    kernel = np.ascontiguousarray(weights[FILTER][::-1].transpose(2, 1, 0))  # [H, 1, W]
    table, bias = graph.constant(FILTER, kernel), graph.constant(FILTER_BIAS, weights[FILTER_BIAS])
    filtered = graph.node("Conv", name("filtered"), signal, table, bias)  # [B, H, P]
    loud = graph.node("Relu", name("filtered/relu"), filtered)
    pool = [stack.pool]
    pooled = graph.node("AveragePool", name("pooled"), loud, kernel_shape=pool, strides=pool)
    return graph.node("Transpose", name("frames"), pooled, perm=[2, 0, 1])
