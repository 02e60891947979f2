"""Local conditioning of a block, as the runtime's LocalConditioner has it."""

from __future__ import annotations

import numpy as np

from wn_export.graphs.conditioning.part import GraphPart
from wn_runtime.conditioning.frames import (
    MEAN,
    MOST_DEVIATIONS,
    SCALE,
    UPSAMPLING,
    WEIGHT,
    LocalFrames,
    by_frame,
    kernel_names,
)


def add(part: GraphPart, local: LocalFrames) -> str:
    """The bias [N, L, B, G] of n frames, R rows each; state.<index>.past [M, B, C]."""
    graph, name = part.graph, part.name
    count = part.block // local.hop
    y = _window(part, local, count)  # [M + n + ahead, B, C]
    length = local.past + count + local.ahead
    for i, width in enumerate(local.kernels):
        weight, bias = kernel_names(i)
        length -= width - 1
        taps = _taps(part, y, f"kernel{i}", width, length)
        table = graph.constant(weight, part.weights[weight].reshape(-1, local.hidden))
        product = graph.node("MatMul", name(f"product{i}"), taps, table)
        added = graph.constant(bias, part.weights[bias])
        y = graph.node("Relu", name(f"y{i}"), graph.node("Add", name(f"a{i}"), product, added))
    rows = _upsampled(part, local, y, count)  # [N, B, H]
    table = graph.constant(WEIGHT, part.weights[WEIGHT].reshape(local.hidden, -1))
    flat = graph.node("MatMul", name("bias/flat"), rows, table)  # [N, B, L·G]
    shape = (count * local.rows, part.batch, part.spec.layers, part.spec.gate_channels)
    apart = graph.node("Reshape", name("bias/by_stream"), flat, graph.shape(*shape))
    return graph.node("Transpose", name("bias"), apart, perm=[0, 2, 1, 3])


def _window(part: GraphPart, local: LocalFrames, count: int) -> str:
    """The frames of the block and around it, normalised; the last of them are the next state."""
    graph, name = part.graph, part.name
    assert part.frames is not None
    given = graph.node("Transpose", name("frames"), part.frames, perm=[1, 0, 2])  # [F, B, C]
    given = part.slice(given, "own", 0, count + local.ahead)  # another may look farther ahead
    mean, scale = (graph.constant(each, part.weights[each]) for each in (MEAN, SCALE))
    apart = graph.node("Sub", name("apart"), given, mean)
    deviations = graph.node("Mul", name("deviations"), apart, scale)
    least, most = (
        graph.constant(name(each), np.array(bound, np.float32))
        for each, bound in (("least", -MOST_DEVIATIONS), ("most", MOST_DEVIATIONS))
    )
    window = graph.node("Clip", name("normalised"), deviations, least, most)
    if not local.past:
        return window
    past = graph.input(f"state.{part.index}.past", [local.past, part.batch, local.channels])
    window = graph.node("Concat", name("window"), past, window, axis=0)
    part.states[past] = part.slice(window, "newest", count, local.past)
    return window


def _upsampled(part: GraphPart, local: LocalFrames, y: str, count: int) -> str:
    """y [n, B, H], and the frames that upsampling sees -> [n·R, B, H]."""
    graph, name = part.graph, part.name
    if local.upsampling == "repeat":
        return y
    if local.upsampling == "transposed":
        frames = _taps(part, y, "transposed", local.taps, count)  # …, y[i-1], y[i]
        weight = graph.constant(UPSAMPLING, by_frame(part.weights[UPSAMPLING], local.rows))
        flat = graph.node("MatMul", name("upsampled/flat"), frames, weight)  # [n, B, R·H]
        shape = graph.shape(count, part.batch, local.rows, local.hidden)
        rows = graph.node("Reshape", name("upsampled/by_stream"), flat, shape)
        rows = graph.node("Transpose", name("upsampled/rows"), rows, perm=[0, 2, 1, 3])
    else:
        first, second = part.slice(y, "first", 0, count), part.slice(y, "second", 1, count)
        line = graph.constant(name("line"), local.line[:, None, None])  # [R, 1, 1]
        axis = graph.shape(1)
        start = graph.node("Unsqueeze", name("start"), first, axis)  # [n, 1, B, H]
        step = graph.node("Sub", name("step"), second, first)
        way = graph.node(
            "Mul", name("way"), graph.node("Unsqueeze", name("steps"), step, axis), line
        )
        rows = graph.node("Add", name("upsampled/rows"), start, way)  # [n, R, B, H]
    shape = graph.shape(count * local.rows, part.batch, local.hidden)
    return graph.node("Reshape", name("upsampled"), rows, shape)


def _taps(part: GraphPart, y: str, what: str, width: int, count: int) -> str:
    """`width` frames side by side, the oldest first: [count, B, width·C]."""
    if width == 1:
        return y
    taps = [part.slice(y, f"{what}/tap{j}", j, count) for j in range(width)]
    return part.graph.node("Concat", part.name(f"{what}/taps"), *taps, axis=2)
