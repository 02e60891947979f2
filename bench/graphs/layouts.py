"""Why a layer of the step graph is two products: bare ONNX Runtime rates of two layouts.

    python -m bench.graphs.layouts [--turns 30]

`joined` is the layer as one writes it: one product for filter and gate, then a Split. `apart`,
which wn-export writes, has two products that each end in their activation, which ONNX Runtime
runs as one node each. Both take turns in one process on one thread; counted is the CPU time of
the best turn.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import click
import numpy as np
import onnx
import onnxruntime as ort

from bench.models import MODELS, random_weights
from wn_export.graphs.builder import GraphBuilder
from wn_export.graphs.step import (
    add_embedding,
    add_head,
    add_present,
    add_residual,
    build_step_graph,
    layer_name,
    residual_offsets,
)
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.spec import Condition
from wn_runtime.engines.step_signature import StepSignature
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights
from wn_targets.presets import PRESETS

STEPS = 200
"""Calls a turn."""


@click.command()
@click.option("--turns", default=30, show_default=True)
def main(turns: int) -> None:
    """Print samples per second of both layouts for the models of the product's targets."""
    speaker = GlobalConditions((Condition("speaker", "categorical", ("a",)),))
    for title, preset in MODELS.items():
        spec = dataclasses.replace(PRESETS[preset], conditioning=(speaker,))
        weights = random_weights(spec)
        graphs = {"joined": joined_graph(spec, weights), "apart": build_step_graph(spec, weights)}
        sessions = {name: bound(graph) for name, graph in graphs.items()}
        best = dict.fromkeys(sessions, 0.0)
        for _ in range(turns):
            for name, (session, binding, _) in sessions.items():
                started = time.process_time()
                for _ in range(STEPS):
                    session.run_with_iobinding(binding)
                best[name] = max(best[name], STEPS / (time.process_time() - started))
        rates = "   ".join(f"{name} {rate:7,.0f}" for name, rate in best.items())
        ratio = best["apart"] / best["joined"]
        click.echo(f"{title}   {rates} samples/s   apart is {ratio:.2f}×")


def joined_graph(spec: ModelSpec, weights: Weights) -> onnx.ModelProto:
    """The step graph of one stream with filter and gate in one product."""
    graph = GraphBuilder("joined", "fp32")
    offsets = residual_offsets(spec, weights)
    signature = StepSignature.of(spec, "fp32", 1)
    for name, tensor in signature.inputs.items():
        graph.input(name, tensor.shape, tensor.dtype)
    rows_of = graph.shape(spec.layers, 1, spec.residual_channels)
    past = graph.node("Reshape", "past2", "past", rows_of)
    weight = weights["gate.weight"]
    taps = graph.node("MatMul", "product", past, graph.constant("w", weight[:, 1]))
    constant = weights["gate.bias"] + np.einsum("lr,lrg->lg", offsets, weight[:, 0])
    taps = graph.node("Add", "sum", taps, graph.constant("b", constant[:, None]))
    taps = graph.node("Add", "conditioned", taps, "bias")
    taps = graph.node("Reshape", "taps", taps, graph.shape(spec.layers, spec.gate_channels))
    rows = [f"{layer_name(layer)}/taps" for layer in range(spec.layers)]
    graph.split("each", taps, rows, 1, axis=0)
    h = add_embedding(graph, spec, weights, 1)
    inputs, zs = [], []
    for layer, row in enumerate(rows):
        name = layer_name(layer)
        inputs.append(h)
        current = graph.constant(f"{name}/w", weight[layer, 0])
        a = graph.node("Gemm", f"{name}/a", h, current, row)
        halves = [f"{name}/filter", f"{name}/gate"]
        graph.split(f"{name}/halves", a, halves, spec.gate_channels // 2, axis=1)
        filtered = graph.node("Tanh", f"{name}/tanh", halves[0])
        gated = graph.node("Sigmoid", f"{name}/sigmoid", halves[1])
        zs.append(graph.node("Mul", f"{name}/z", filtered, gated))
        if layer < spec.layers - 1:
            h = add_residual(graph, spec, weights, layer, h, zs[-1])
    add_head(graph, spec, weights, zs)
    add_present(graph, spec, inputs, offsets, 1)
    for name, tensor in signature.outputs.items():
        graph.output(name, tensor.shape, tensor.dtype)
    return graph.model({})


def bound(graph: onnx.ModelProto) -> tuple[Any, Any, list[Any]]:
    """A session on one thread, its binding, and the memory that is bound."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(graph.SerializeToString(), options)
    binding, memory = session.io_binding(), []
    types = {"tensor(int32)": np.int32, "tensor(float)": np.float32}
    for value in [*session.get_inputs(), *session.get_outputs()]:
        memory.append(ort.OrtValue.ortvalue_from_numpy(np.zeros(value.shape, types[value.type])))
    for value, array in zip([*session.get_inputs(), *session.get_outputs()], memory, strict=True):
        if value.name in ("params", "present"):
            binding.bind_ortvalue_output(value.name, array)
        else:
            binding.bind_ortvalue_input(value.name, array)
    return session, binding, memory


if __name__ == "__main__":
    main()
