"""One sample: the step graph's network between the belt it reads and writes, and the draw.

sample [B, k0], belt ──┐                      ┌─ sample, belt of the next
now/… of this sample ──┴─ taps, layers, draw ─┴─ made/…: what it drew, and from what
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray

from wn_export.graphs.builder import GraphBuilder
from wn_export.graphs.generator.draws import Draw
from wn_export.graphs.generator.lines import Lines
from wn_export.graphs.generator.rows import Rows, declare
from wn_export.graphs.step import (
    add_embedding,
    add_head,
    add_layers,
    cut_taps,
    older_weights,
    residual_offsets,
    tap_constants,
)
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights


def build_step(
    spec: ModelSpec, weights: Weights, lines: Lines, draw: Draw, rows: Rows, batch: int
) -> onnx.GraphProto:
    """The body of the scan over a block's samples.

    Its state is the sample, and the belt where there are near layers; it scans `rows`. It makes the
    sample [B, 1], params [B, A], what tells that it could be drawn [B, 1], and the inputs of the
    far layers [far, B, R] where there are any.
    """
    step = GraphBuilder("sample", "fp32", "sample:")
    head, residual = spec.output, spec.residual_channels
    window = (batch, spec.input_kernel)
    step.input("sample", window, head.sample_dtype)
    if lines.near:
        step.input("belt", (lines.belt_rows, batch, residual))
    declare(step, rows)

    offsets = residual_offsets(spec, weights)
    total = _taps(step, spec, weights, offsets, lines, batch)
    cut = cut_taps(step, total, lines.order, spec.gate_channels, batch)
    taps = dict(zip(lines.order, cut, strict=True))
    h = add_embedding(step, spec, weights, batch)
    inputs, zs = add_layers(step, spec, weights, h, taps)
    params = add_head(step, spec, weights, zs, "made/params")
    drawn, finite = draw.sample(step, params)
    if head.codes is not None:
        drawn = step.cast("draw/code", drawn, head.sample_dtype)
    made = step.node("Where", "made/sample", "now/is_known", "now/known", drawn)

    step.output(_shifted(step, made, spec), window, head.sample_dtype)
    if lines.near:
        step.output("belt/next", (lines.belt_rows, batch, residual))
    _keep_inputs(step, spec, offsets, lines, inputs, batch)
    step.output(made, (batch, 1), head.sample_dtype)
    step.output(params, (batch, head.params))
    step.output(finite, (batch, 1))
    if lines.far:
        step.output("made/far", (len(lines.far), batch, residual))
    return step.graph()


def _taps(
    step: GraphBuilder,
    spec: ModelSpec,
    weights: Weights,
    offsets: NDArray[np.float64],
    lines: Lines,
    batch: int,
) -> str:
    """All taps but the current one, biases and conditioning, near layers first: [L, B, G]."""
    if not lines.near:
        return "now/far"
    near, older = list(lines.near), spec.kernel - 1
    past = step.node("Gather", "taps/rows", "belt", "now/taps")  # [near, k-1, B, R]
    if older > 1 and batch > 1:
        past = step.node("Transpose", "taps/by_stream", past, perm=[0, 2, 1, 3])
    rows = step.shape(len(near), batch, older * spec.residual_channels)
    past = step.node("Reshape", "taps/past", past, rows)
    weight = step.constant("taps.weight", older_weights(spec, weights)[near])
    total = step.node("MatMul", "taps/product", past, weight)
    if spec.conditioning:
        total = step.node("Add", "taps/sum", total, "now/near")
    else:
        constant = tap_constants(weights, offsets)[near][:, None]
        total = step.node("Add", "taps/sum", total, step.constant("taps.bias", constant))
    return step.node("Concat", "taps/all", total, "now/far", axis=0) if lines.far else total


def _keep_inputs(
    step: GraphBuilder,
    spec: ModelSpec,
    offsets: NDArray[np.float64],
    lines: Lines,
    inputs: list[str],
    batch: int,
) -> None:
    """Every layer's input, the offsets added back: onto the belt, or to `made/far`."""
    order = list(lines.order)
    shape = step.shape(spec.layers, batch, spec.residual_channels)
    rows = step.node("Concat", "present/rows", *(inputs[layer] for layer in order), axis=0)
    stacked = step.node("Reshape", "present/stacked", rows, shape)
    offset = step.constant("present.offset", offsets[order][:, None])
    near = "present/near"
    if not lines.far:
        step.node("Add", near, stacked, offset)
    elif not lines.near:
        step.node("Add", "made/far", stacked, offset)
    else:
        present = step.node("Add", "present", stacked, offset)
        sizes = step.constant("present/sizes", np.array([len(lines.near), len(lines.far)]))
        step.several("Split", "present/parts", [present, sizes], [near, "made/far"], axis=0)
    if lines.near:
        step.node("ScatterND", "belt/next", "belt", "now/written", near)


def _shifted(step: GraphBuilder, newest: str, spec: ModelSpec) -> str:
    """The last k0 samples [B, k0], the newest among them."""
    if spec.input_kernel == 1:
        return step.node("Identity", "sample/next", newest)
    one, last = step.shape(1), step.shape(spec.input_kernel)
    kept = step.node("Slice", "sample/kept", "sample", one, last, one)
    return step.node("Concat", "sample/next", kept, newest, axis=1)
