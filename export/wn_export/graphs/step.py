"""step.onnx: one sample of B streams, straight from the spec and the canonical weights.

    sample [B, k0] ──embed── h ─┬─ layer00 ─┬─ layer01 ─ … (the dependency chain)
    past [L, k-1, B, R] ─ taps ─┴───────────┘     │ z of every layer
    bias [L, B, G] ───────┘                       └─ skip ─ relu ─ head0 ─ relu ─ head1 ─ params
                                                     h of every layer ─ present [L, B, R]

Only a current-tap product, a gate and a residual product per layer are in the chain. What does
not depend on it is batched: the older taps and the conditioning of all layers in one MatMul
before it, the skip sum as one product over the concatenated z after it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from wn_export.graphs.builder import GraphBuilder
from wn_runtime.engines.step_signature import StepSignature
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights, check


def build_step_graph(
    spec: ModelSpec, weights: Weights, precision: str = "fp32", batch: int = 1
) -> onnx.ModelProto:
    """The checked step graph of `batch` streams; `precision` is `fp32` or `fp16`.

    Its inputs and outputs are those of `StepSignature`. Raises WavestepError where the weights are
    not the spec's.
    """
    check(weights, spec, "step graph")
    graph = GraphBuilder("step", precision)
    signature = StepSignature.of(spec, precision, batch)
    offsets = residual_offsets(spec, weights)
    for name, tensor in signature.inputs.items():
        graph.input(name, tensor.shape, tensor.dtype)
    taps = add_taps(graph, spec, weights, offsets, batch)
    h = add_embedding(graph, spec, weights, batch)
    inputs, zs = add_layers(graph, spec, weights, h, taps)
    add_head(graph, spec, weights, zs)
    add_present(graph, spec, inputs, offsets, batch)
    for name, tensor in signature.outputs.items():
        graph.output(name, tensor.shape, tensor.dtype)
    return graph.model(
        {"spec": json.dumps(spec.to_dict()), "precision": precision, "batch": str(batch)}
    )


def layer_name(layer: int) -> str:
    """`layer07`: how nodes and initialisers of a layer begin."""
    return f"layer{layer:02d}"


def residual_offsets(spec: ModelSpec, weights: Weights) -> NDArray[np.float64]:
    """c [L, R], the part of each layer's input that the residual biases alone make.

    The chain carries h - c instead of h, so that a residual product needs no bias: Gemm has one
    addend, and that is h. c goes into the gates' constants and back into `present`.
    """
    c = np.zeros((spec.layers, spec.residual_channels))
    for layer in range(spec.layers - 1):
        c[layer + 1] = (c[layer] + weights["residual.bias"][layer]) * spec.residual_scale
    return c


def add_embedding(graph: GraphBuilder, spec: ModelSpec, weights: Weights, batch: int) -> str:
    """The first causal convolution: classes as rows of one table, or amplitudes: h [B, R]."""
    rows = np.array(weights["input.weight"][::-1], np.float64)  # oldest first, as `sample` is
    if spec.output.codes is None:
        sample = "sample"
        if graph.element != np.float32:
            element = helper.np_dtype_to_tensor_dtype(graph.element)
            sample = graph.node("Cast", "input/sample", "sample", to=element)
        weight = graph.constant("input.weight", rows[:, 0])  # [k0, R]
        bias = graph.constant("input.bias", weights["input.bias"])
        return graph.node("Gemm", "input", sample, weight, bias)
    rows[-1] += weights["input.bias"]
    residual = spec.residual_channels
    table = graph.constant("input/table", rows.reshape(-1, residual))  # [k0 * A, R]
    if spec.input_kernel == 1:
        found = graph.node("Gather", "input/rows", table, "sample")  # [B, 1, R]
        return graph.node("Reshape", "input", found, graph.shape(batch, residual))
    starts = np.arange(spec.input_kernel, dtype=np.int32) * spec.output.codes
    index = graph.node("Add", "input/index", "sample", graph.constant("input/starts", starts))
    found = graph.node("Gather", "input/rows", table, index)  # [B, k0, R]
    return graph.node("ReduceSum", "input", found, graph.shape(1), keepdims=0)


def add_taps(
    graph: GraphBuilder,
    spec: ModelSpec,
    weights: Weights,
    offsets: NDArray[np.float64],
    batch: int,
) -> list[tuple[str, str]]:
    """All taps but the current one, biases and conditioning: per layer filter, gate [B, G/2]."""
    layers, older, gate = spec.layers, spec.kernel - 1, spec.gate_channels
    rows = graph.shape(layers, batch, older * spec.residual_channels)
    past = "past"
    if older > 1 and batch > 1:
        past = graph.node("Transpose", "taps/by_stream", past, perm=[0, 2, 1, 3])
    past = graph.node("Reshape", "taps/past", past, rows)  # [L, B, (k-1)R]
    weight_past = older_weights(spec, weights)
    total = graph.node("MatMul", "taps/product", past, graph.constant("taps.weight", weight_past))
    constant = tap_constants(weights, offsets)
    total = graph.node(
        "Add", "taps/sum", total, graph.constant("taps.bias", constant[:, None])
    )  # [L, B, G]
    if spec.conditioning:
        total = graph.node("Add", "taps/conditioned", total, "bias")
    return cut_taps(graph, total, range(layers), gate, batch)


def older_weights(spec: ModelSpec, weights: Weights) -> NDArray[np.float32]:
    """What multiplies each layer's taps but the current one: [L, (k-1)R, G]."""
    weight = weights["gate.weight"][:, 1:]
    return weight.reshape(spec.layers, -1, spec.gate_channels)


def tap_constants(weights: Weights, offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """The gates' biases, with what the offsets of the current taps add: [L, G]."""
    current = np.einsum("lr,lrg->lg", offsets, weights["gate.weight"][:, 0])
    constants: NDArray[np.float64] = weights["gate.bias"] + current
    return constants


def cut_taps(
    graph: GraphBuilder, total: str, layers: Sequence[int], gate: int, batch: int
) -> list[tuple[str, str]]:
    """Sums [L, B, G] of these layers, in this order, to filter and gate [B, G/2] of each.

    Filter and gate apart, so that a layer is two products that each end in their activation
    (ONNX Runtime makes one node of each pair), without a cut of [B, G] inside the chain.
    """
    total = graph.node("Reshape", "taps", total, graph.shape(len(layers) * batch, gate))
    halves = ["taps/filter", "taps/gate"]
    graph.split("taps/halves", total, halves, gate // 2, axis=1)
    pieces = []
    for half in halves:
        names = [f"{layer_name(layer)}/{half}" for layer in layers]
        graph.split(f"{half}/layers", half, names, batch, axis=0)
        pieces.append(names)
    return list(zip(*pieces, strict=True))


def add_layers(
    graph: GraphBuilder,
    spec: ModelSpec,
    weights: Weights,
    h: str,
    taps: Mapping[int, Sequence[str]] | Sequence[Sequence[str]],
) -> tuple[list[str], list[str]]:
    """The chain of layers from the embedding `h` on: the names of each one's input and of its z."""
    inputs, zs = [], []
    for layer in range(spec.layers):
        inputs.append(h)
        z = add_gate(graph, weights, layer, h, *taps[layer])
        zs.append(z)
        if layer < spec.layers - 1:
            h = add_residual(graph, spec, weights, layer, h, z)
    return inputs, zs


def add_gate(
    graph: GraphBuilder, weights: Weights, layer: int, h: str, tap_filter: str, tap_gate: str
) -> str:
    """tanh(filter) * sigmoid(gate) of a layer: h [B, R] and its older taps -> z [B, G/2]."""
    name = layer_name(layer)
    current = weights["gate.weight"][layer, 0]  # [R, G]
    half = current.shape[1] // 2
    filter_weight = graph.constant(f"{name}/filter.weight", current[:, :half])
    gate_weight = graph.constant(f"{name}/gate.weight", current[:, half:])
    filtered = graph.node("Gemm", f"{name}/filter", h, filter_weight, tap_filter)
    gated = graph.node("Gemm", f"{name}/gate", h, gate_weight, tap_gate)
    return graph.node(
        "Mul",
        f"{name}/z",
        graph.node("Tanh", f"{name}/tanh", filtered),
        graph.node("Sigmoid", f"{name}/sigmoid", gated),
    )


def add_residual(
    graph: GraphBuilder, spec: ModelSpec, weights: Weights, layer: int, h: str, z: str
) -> str:
    """(z @ Wres + h) * residual_scale, the bias being in the offsets: next h [B, R]."""
    name, scale = f"{layer_name(layer)}/residual", np.float64(spec.residual_scale)
    weight = graph.constant(f"{name}.weight", weights["residual.weight"][layer] * scale)
    if scale == 1:
        return graph.node("Gemm", name, z, weight, h)
    if graph.element == np.float32:
        return graph.node("Gemm", name, z, weight, h, beta=float(scale))
    # TensorRT's parsers make a float32 constant of any other beta, which a strongly typed network
    # does not multiply with half precision. The Mul waits for h only, so it is off the chain.
    half = graph.constant(f"{name}.scale", np.full((1, 1), scale))
    return graph.node("Gemm", name, z, weight, graph.node("Mul", f"{name}/scaled", h, half))


def add_head(
    graph: GraphBuilder, spec: ModelSpec, weights: Weights, zs: list[str], name: str = "params"
) -> str:
    """The skip sum of all layers and the two output convolutions: `name` [B, A] float32."""
    z = graph.node("Concat", "skip/z", *zs, axis=1)  # [B, L*G/2]
    skip = weights["skip.weight"].reshape(-1, spec.skip_channels)
    y = _product(graph, "skip", z, skip, weights["skip.bias"])
    y = graph.node("Relu", "skip/relu", y)
    y = _product(graph, "head0", y, weights["head.0.weight"], weights["head.0.bias"])
    y = graph.node("Relu", "head0/relu", y)
    last = name if graph.element == np.float32 else "head1"
    y = _product(graph, last, y, weights["head.1.weight"], weights["head.1.bias"])
    return y if last == name else graph.cast(name, y, np.float32)


def add_present(
    graph: GraphBuilder,
    spec: ModelSpec,
    inputs: list[str],
    offsets: NDArray[np.float64],
    batch: int,
) -> None:
    """Every layer's input at this step, the offsets added back: `present` [L, B, R]."""
    shape = graph.shape(spec.layers, batch, spec.residual_channels)
    rows = graph.node("Concat", "present/rows", *inputs, axis=0)
    stacked = graph.node("Reshape", "present/stacked", rows, shape)
    graph.node("Add", "present", stacked, graph.constant("present.offset", offsets[:, None]))


def _product(
    graph: GraphBuilder, name: str, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32]
) -> str:
    w, b = graph.constant(f"{name}.weight", weight), graph.constant(f"{name}.bias", bias)
    return graph.node("Gemm", name, x, w, b)
