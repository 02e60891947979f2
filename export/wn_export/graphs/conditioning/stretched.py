"""Stretched frames of a block, as the runtime's StretchedConditioner has them.

TensorRT 10.3 compares nothing and finds no index, so arithmetic on 0 and 1 says where a clip ends.
"""

from __future__ import annotations

import numpy as np

from wn_export.graphs.conditioning.part import GraphPart
from wn_runtime.conditioning.frames import MOST_DEVIATIONS
from wn_runtime.conditioning.stages import Level, dense
from wn_runtime.conditioning.stretched import StretchedFrames
from wn_runtime.conditioning.stretched_weights import CONV, ENDED, MEAN, SCALE, WEIGHT, stage_names


def add(part: GraphPart, spec: StretchedFrames) -> str:
    """The bias [P, L, B, G] of a block, a row a sample.

    Where it looks around, state.<index>.past [M, B, C] and state.<index>.inside [M, B, 1].
    """
    graph, name = part.graph, part.name
    count = part.block // spec.hop
    y, inside = _filled(part, spec, *_normalised(part, spec, count), count)
    c, within = _convolved(part, spec, y, inside, count)
    first = spec.levels[0]
    for i, level in enumerate(spec.levels):
        rows = level.before + count * level.rows + level.after
        each = _spread(part, within, i, count, first, level) if i else within
        c = graph.node("Mul", name(f"within{i}"), c, each)
        made = (rows - level.back - level.ahead) * level.scale
        c = _stage(part, spec, i, c, rows)
        c = part.slice(c, f"stage{i}", level.skip, made - level.skip - level.drop)
    table = graph.constant(WEIGHT, part.weights[WEIGHT].reshape(spec.channels, -1))
    flat = graph.node("MatMul", name("bias/flat"), c, table)  # [P, B, L·G]
    shape = graph.shape(part.block, part.batch, part.spec.layers, part.spec.gate_channels)
    apart = graph.node("Reshape", name("bias/by_stream"), flat, shape)
    return graph.node("Transpose", name("bias"), apart, perm=[0, 2, 1, 3])


def _normalised(part: GraphPart, spec: StretchedFrames, count: int) -> tuple[str, str]:
    """The frames given, zero beyond the clip: [F, B, C], and whether each is its own, [F, B, 1]."""
    graph, name = part.graph, part.name
    assert part.frames is not None
    given = graph.node("Transpose", name("frames"), part.frames, perm=[1, 0, 2])
    given = part.slice(given, "given", 0, count + spec.beyond)
    zero, one, ended, least, most = (
        graph.constant(name(f"number{i}"), np.array(value, np.float32))
        for i, value in enumerate((0, 1, ENDED, -MOST_DEVIATIONS, MOST_DEVIATIONS))
    )
    first = part.slice(given, "first", 0, 1, axis=2)
    short = graph.node("Sub", name("short_of_the_end"), ended, first)
    own = graph.node("Clip", name("own"), short, zero, one)
    mean, scale = (graph.constant(each, part.weights[each]) for each in (MEAN, SCALE))
    apart = graph.node("Sub", name("apart"), given, mean)
    deviations = graph.node("Mul", name("deviations"), apart, scale)
    clipped = graph.node("Clip", name("clipped"), deviations, least, most)
    return graph.node("Mul", name("normalised"), clipped, own), own


def _filled(
    part: GraphPart, spec: StretchedFrames, y: str, own: str, count: int
) -> tuple[str, str]:
    """With those before: the first frame in place of what the clip has not, and the last beyond."""
    graph, name, past = part.graph, part.name, spec.past
    if not past:
        return y, own
    before = graph.input(f"state.{part.index}.past", [past, part.batch, spec.channels])
    known = graph.input(f"state.{part.index}.inside", [past, part.batch, 1])
    one = name("number1")
    newest = part.slice(known, "newest_known", past - 1, 1)
    fresh = graph.node("Sub", name("not_begun"), one, newest)
    fill = graph.node("Mul", name("first_frame"), fresh, part.slice(y, "y/first", 0, 1))
    before = graph.node("Add", name("before"), before, fill)
    inside = graph.node("Concat", name("inside"), known, own, axis=0)
    length = past + count + spec.beyond
    window = graph.node("Concat", name("window"), before, y, axis=0)
    following = part.slice(inside, "inside/next", 1, length - 1)
    ends = graph.node("Sub", name("ends"), one, following)
    last = graph.node(
        "Mul", name("last/all_but_one"), part.slice(inside, "inside/but_one", 0, length - 1), ends
    )
    final = part.slice(inside, "inside/final", length - 1, 1)
    last = graph.node("Concat", name("last"), last, final, axis=0)
    chosen = graph.node("Mul", name("last/frames"), last, window)
    frame = graph.node("ReduceSum", name("last_frame"), chosen, graph.shape(0), keepdims=1)
    gone = graph.node("Sub", name("gone"), one, own)
    filled = graph.node("Add", name("filled"), y, graph.node("Mul", name("copies"), gone, frame))
    y = graph.node("Concat", name("whole"), before, filled, axis=0)
    part.states[f"state.{part.index}.past"] = part.slice(y, "past/next", count, past)
    part.states[f"state.{part.index}.inside"] = part.slice(inside, "known/next", count, past)
    return y, inside


def _convolved(
    part: GraphPart, spec: StretchedFrames, y: str, inside: str, count: int
) -> tuple[str, str]:
    """The convolution [before + n + after, B, C], and which of its rows are the clip's."""
    graph, name, first = part.graph, part.name, spec.levels[0]
    rows, width = first.before + count + first.after, 2 * spec.context + 1
    taps = [part.slice(y, f"conv/tap{j}", spec.margin + j, rows) for j in range(width)]
    each = graph.node("Concat", name("conv/taps"), *taps, axis=2) if width > 1 else taps[0]
    table = graph.constant(CONV, part.weights[CONV].reshape(-1, spec.channels))
    c = graph.node("MatMul", name("conv"), each, table)
    around = [
        part.slice(inside, f"within/{j}", spec.context + j, rows)
        for j in range(2 * spec.margin + 1)
    ]
    within = graph.node("Max", name("within"), *around) if len(around) > 1 else around[0]
    return c, within


def _spread(
    part: GraphPart, within: str, index: int, count: int, first: Level, level: Level
) -> str:
    """Which rows of a stage's input are the clip's."""
    graph, batch = part.graph, part.batch
    rows = first.before + count + first.after
    each = graph.node("Unsqueeze", part.name(f"spread{index}"), within, graph.shape(1))
    shape = graph.shape(rows, level.rows, batch, 1)
    held = graph.node("Expand", part.name(f"spread{index}/held"), each, shape)
    flat = graph.shape(rows * level.rows, batch, 1)
    held = graph.node("Reshape", part.name(f"spread{index}/flat"), held, flat)
    start = first.before * level.rows - level.before
    wanted = level.before + count * level.rows + level.after
    return part.slice(held, f"spread{index}/own", start, wanted)


def _stage(part: GraphPart, spec: StretchedFrames, index: int, c: str, rows: int) -> str:
    """One stage: [n + back + ahead, B, C] -> [n·s, B, C]."""
    graph, name, scale = part.graph, part.name, spec.scales[index]
    width, count = spec.taps(index), rows - spec.back[index] - spec.ahead[index]
    taps = [part.slice(c, f"stage{index}/tap{j}", j, count) for j in range(width)]
    each = graph.node("Concat", name(f"stage{index}/taps"), *taps, axis=2) if width > 1 else taps[0]
    weight, bias = stage_names(index)
    table = graph.constant(weight, dense(part.weights[weight], spec.channels))
    flat = graph.node("MatMul", name(f"stage{index}/flat"), each, table)  # [n, B, s·C]
    shape = graph.shape(count, part.batch, scale, spec.channels)
    apart = graph.node("Reshape", name(f"stage{index}/by_stream"), flat, shape)
    apart = graph.node("Transpose", name(f"stage{index}/rows"), apart, perm=[0, 2, 1, 3])
    shape = graph.shape(count * scale, part.batch, spec.channels)
    a = graph.node("Reshape", name(f"stage{index}/whole"), apart, shape)
    a = graph.node("Add", name(f"stage{index}/a"), a, graph.constant(bias, part.weights[bias]))
    if spec.slope == 1:
        return a
    return graph.node("LeakyRelu", name(f"stage{index}/leaky"), a, alpha=spec.slope)
