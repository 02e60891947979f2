"""step.onnx computes the layer equation, one sample a call, in ops that TensorRT takes."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from tests.export.graphs.graph_host import GraphHost
from tests.law import oracle
from tests.law.steps import Array, Inputs, verify_step_contract
from tests.models import specs
from wn_export.graphs.step import build_step_graph
from wn_runtime.engines.step_signature import ELEMENTS, Tensor
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

ALL_SPECS = {**specs.CORNERS, **{f"random_{i}": specs.random_spec(i) for i in range(8)}}


def host_of(
    spec: ModelSpec, weights: Weights, precision: str = "fp32", batch: int = 1
) -> GraphHost:
    return GraphHost(build_step_graph(spec, weights, precision, batch), spec, precision, batch)


def inputs_of(spec: ModelSpec, batch: int, steps: int = 30) -> Inputs:
    """Samples (T, B), and for a model with conditions bias (T, B, L, G)."""
    bias = specs.random_bias(spec, batch, steps)
    samples = specs.random_samples(spec, steps, batch)
    return (samples,) if bias is None else (samples, bias.transpose(0, 2, 1, 3))


def whole(spec: ModelSpec, weights: Weights, inputs: Inputs) -> Array:
    bias = inputs[1].transpose(0, 2, 1, 3) if len(inputs) > 1 else None
    return oracle.score(spec, weights, inputs[0], bias)


def tensors_of(values: list[onnx.ValueInfoProto]) -> dict[str, Tensor]:
    """Name to shape and type, as a graph declares them."""
    found = {}
    for value in values:
        kind = value.type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        found[value.name] = Tensor(tuple(dim.dim_value for dim in kind.shape.dim), dtype)
    return found


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("spec", ALL_SPECS.values(), ids=ALL_SPECS)
def test_the_graph_is_the_layer_equation_and_obeys_the_streaming_law(
    spec: ModelSpec, batch: int
) -> None:
    weights = specs.random_weights(spec, seed=1)
    host = host_of(spec, weights, batch=batch)
    inputs = inputs_of(spec, batch)
    verify_step_contract(
        lambda inputs: whole(spec, weights, inputs),
        host.step,
        host.initial,
        inputs,
        sees_current=[False, True][: len(inputs)],
    )


@pytest.mark.parametrize("name", ["kernel_3", "input_kernel_2", "uneven", "two_conditions"])
def test_half_precision_is_near_and_is_half_throughout(name: str) -> None:
    spec = specs.CORNERS[name]
    weights = specs.random_weights(spec, seed=2)
    inputs = inputs_of(spec, 2)
    expected = whole(spec, weights, inputs)
    host = host_of(spec, weights, "fp16", 2)
    error = np.abs(host.step(inputs, host.initial())[0] - expected).max()
    assert 1e-6 * np.abs(expected).max() < error < 1e-2 * np.abs(expected).max()

    graph = build_step_graph(spec, weights, "fp16").graph
    single = onnx.TensorProto.FLOAT
    assert single not in {initializer.data_type for initializer in graph.initializer}
    casts = [node.output[0] for node in graph.node if node.op_type == "Cast"]
    assert casts == ["params"]


@pytest.mark.parametrize(("scale", "muls"), [(1.0, 0), (0.5**0.5, 2)])
def test_half_precision_scales_a_residual_by_a_mul_of_half_precision(
    scale: float, muls: int
) -> None:
    """As TensorRT 10.0 to 10.6 multiply by a float32 beta; a single-precision graph keeps it."""
    spec = specs.small_spec(residual_scale=scale)  # two of its three layers have a residual
    betas = {}
    for precision in ELEMENTS:
        graph = build_step_graph(spec, specs.random_weights(spec), precision).graph
        gemms = [node for node in graph.node if node.op_type == "Gemm"]
        found = {a.f for node in gemms for a in node.attribute if a.name == "beta"}
        betas[precision] = {beta for beta in found if beta != 1}
        scaled = [node.name for node in graph.node if node.name.endswith("residual/scaled")]
        assert len(scaled) == (muls if precision == "fp16" else 0)
    assert betas == {"fp32": {np.float32(scale)} - {1}, "fp16": set()}


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("batch", [1, 3])
def test_the_graph_keeps_the_contract(batch: int, precision: str) -> None:
    spec = specs.CORNERS["uneven"]
    model = build_step_graph(spec, specs.random_weights(spec), precision, batch)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
    own = ELEMENTS[precision]
    single, index = np.dtype(np.float32), np.dtype(np.int32)
    layers, residual = spec.layers, spec.residual_channels
    assert tensors_of([*model.graph.input, *model.graph.output]) == {
        "sample": Tensor((batch, spec.input_kernel), index),
        "past": Tensor((layers, spec.kernel - 1, batch, residual), own),
        "bias": Tensor((layers, batch, spec.gate_channels), own),
        "params": Tensor((batch, spec.output.params), single),
        "present": Tensor((layers, batch, residual), own),
    }


def test_a_model_without_conditioning_takes_no_bias() -> None:
    graph = build_step_graph(specs.PLAIN, specs.random_weights(specs.PLAIN)).graph
    assert [value.name for value in graph.input] == ["sample", "past"]


def test_every_tensor_has_a_static_shape_and_every_node_its_layer_in_its_name() -> None:
    spec = specs.CORNERS["kernel_3"]
    graph = build_step_graph(spec, specs.random_weights(spec)).graph
    known = tensors_of([*graph.value_info, *graph.output])
    for node in graph.node:
        for name in node.output:
            assert all(size > 0 for size in known[name].shape), name
    names = [node.name for node in graph.node]
    assert len(set(names)) == len(names)
    for layer in range(spec.layers):
        own = {name.split("/")[1] for name in names if name.startswith(f"layer{layer:02d}/")}
        assert own - {"residual"} == {"filter", "gate", "tanh", "sigmoid", "z"}
        assert ("residual" in own) == (layer < spec.layers - 1), "nothing uses the last one's"


def test_the_graph_says_what_it_is() -> None:
    spec = specs.CORNERS["two_conditions"]
    model = build_step_graph(spec, specs.random_weights(spec), "fp16", 2)
    properties = {p.key: p.value for p in model.metadata_props}
    assert ModelSpec.from_dict(json.loads(properties["spec"])) == spec
    assert (properties["precision"], properties["batch"]) == ("fp16", "2")


def test_weights_of_another_model_are_refused() -> None:
    weights = specs.random_weights(specs.CORNERS["uneven"])
    with pytest.raises(WavestepError, match=r"weight 'condition.speaker.weight' does not belong"):
        build_step_graph(specs.PLAIN, weights)
