"""step.onnx computes the layer equation, one sample a call, in ops that TensorRT takes."""

import json

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from tests import oracle, specs
from tests.contract import verify_step_contract
from wn_export.graphs.step import build_step_graph
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec

OPS_EVERY_TENSORRT_TAKES = {
    "Add", "Cast", "Concat", "Gather", "Gemm", "Identity", "MatMul", "Mul", "ReduceSum", "Relu",
    "Reshape", "Sigmoid", "Split", "Tanh", "Transpose",
}  # fmt: skip

ALL_SPECS = {**specs.CORNERS, **{f"random_{i}": specs.random_spec(i) for i in range(8)}}


class SteppedGraph:
    """A step graph with the plainest memory there can be: all inputs of all layers, kept.

    Its state is (the k0 newest samples (k0, B), every layer's inputs so far (n, L, B, R)).
    """

    def __init__(self, spec, weights, precision="fp32", batch=1):
        self.spec, self.batch = spec, batch
        self.own = np.float16 if precision == "fp16" else np.float32
        graph = build_step_graph(spec, weights, precision, batch)
        self._session = ort.InferenceSession(graph.SerializeToString())

    def initial(self):
        spec = self.spec
        heard = np.full((spec.input_kernel, self.batch), spec.silence, np.int32)
        return heard, np.zeros((0, spec.layers, self.batch, spec.residual), self.own)

    def step(self, inputs, state):
        """samples (T, B) and bias (T, B, L, G) -> params (T, B, A)."""
        heard, kept = state
        params = []
        for t in range(len(inputs[0])):
            feeds = {"sample": np.ascontiguousarray(heard.T), "past": self._past(kept)}
            if self.spec.conditions:
                feeds["bias"] = inputs[1][t].transpose(1, 0, 2).astype(self.own)
            answer, present = self._session.run(["params", "present"], feeds)
            params.append(answer)
            kept = np.concatenate([kept, present[None]])
            heard = np.concatenate([heard[1:], inputs[0][t : t + 1]])
        shape = (0, self.batch, self.spec.classes)
        return np.concatenate([np.zeros(shape, np.float32), *[p[None] for p in params]]), (
            heard, kept,
        )  # fmt: skip

    def _past(self, kept):
        spec = self.spec
        past = np.zeros((spec.layers, spec.kernel - 1, self.batch, spec.residual), self.own)
        for layer, dilation in enumerate(spec.dilations):
            for j in range(1, spec.kernel):
                if len(kept) >= j * dilation:
                    past[layer, j - 1] = kept[len(kept) - j * dilation, layer]
        return past


def inputs_of(spec, batch, steps=30):
    """Samples (T, B), and for a model with conditions bias (T, B, L, G)."""
    bias = specs.random_bias(spec, batch, steps)
    samples = specs.random_samples(spec, steps, batch)
    return (samples,) if bias is None else (samples, bias.transpose(0, 2, 1, 3))


def whole(spec, weights, inputs):
    bias = inputs[1].transpose(0, 2, 1, 3) if len(inputs) > 1 else None
    return oracle.score(spec, weights, inputs[0], bias)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("spec", ALL_SPECS.values(), ids=ALL_SPECS)
def test_the_graph_is_the_layer_equation_and_obeys_the_streaming_law(spec, batch):
    weights = specs.random_weights(spec, seed=1)
    graph = SteppedGraph(spec, weights, batch=batch)
    inputs = inputs_of(spec, batch)
    verify_step_contract(
        lambda inputs: whole(spec, weights, inputs),
        graph.step, graph.initial, inputs, sees_current=[False, True][: len(inputs)],
    )  # fmt: skip


@pytest.mark.parametrize("name", ["kernel_3", "input_kernel_2", "uneven", "two_conditions"])
def test_half_precision_is_near_and_is_half_throughout(name):
    spec = specs.CORNERS[name]
    weights = specs.random_weights(spec, seed=2)
    inputs = inputs_of(spec, 2)
    expected = whole(spec, weights, inputs)
    half_graph = SteppedGraph(spec, weights, "fp16", 2)
    error = np.abs(half_graph.step(inputs, half_graph.initial())[0] - expected).max()
    assert 1e-6 * np.abs(expected).max() < error < 1e-2 * np.abs(expected).max()

    graph = build_step_graph(spec, weights, "fp16").graph
    half, single, index = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT, onnx.TensorProto.INT32
    types = {v.name: v.type.tensor_type.elem_type for v in [*graph.input, *graph.output]}
    assert types == {
        "sample": index, "past": half, "present": half, "params": single,
        **({"bias": half} if spec.conditions else {}),
    }  # fmt: skip
    assert single not in {initializer.data_type for initializer in graph.initializer}
    assert [node.op_type for node in graph.node].count("Cast") == 1, "params alone is cast"


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("batch", [1, 3])
def test_the_graph_keeps_the_contract(precision, batch):
    spec = specs.CORNERS["uneven"]
    model = build_step_graph(spec, specs.random_weights(spec), precision, batch)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
    assert {node.op_type for node in model.graph.node} <= OPS_EVERY_TENSORRT_TAKES
    shapes = {
        value.name: [d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in [*model.graph.input, *model.graph.output]
    }
    layers, r = spec.layers, spec.residual
    assert shapes == {
        "sample": [batch, spec.input_kernel],
        "past": [layers, spec.kernel - 1, batch, r],
        "bias": [layers, batch, spec.gate],
        "params": [batch, spec.classes],
        "present": [layers, batch, r],
    }


def test_every_tensor_has_a_static_shape_and_every_node_its_layer_in_its_name():
    spec = specs.CORNERS["kernel_3"]
    graph = build_step_graph(spec, specs.random_weights(spec)).graph
    known = {value.name: value for value in [*graph.value_info, *graph.output]}
    for node in graph.node:
        for name in node.output:
            dims = known[name].type.tensor_type.shape.dim
            assert all(dim.dim_value > 0 for dim in dims), name
    names = [node.name for node in graph.node]
    assert len(set(names)) == len(names)
    for layer in range(spec.layers):
        own = {name.split("/")[1] for name in names if name.startswith(f"layer{layer:02d}/")}
        assert own - {"residual"} == {"filter", "gate", "tanh", "sigmoid", "z"}
        assert ("residual" in own) == (layer < spec.layers - 1), "nothing uses the last one's"


def test_the_graph_says_what_it_is():
    spec = specs.CORNERS["two_conditions"]
    model = build_step_graph(spec, specs.random_weights(spec), "fp16", 2)
    properties = {p.key: p.value for p in model.metadata_props}
    assert ModelSpec.from_dict(json.loads(properties["spec"])) == spec
    assert (properties["precision"], properties["batch"]) == ("fp16", "2")


def test_weights_of_another_model_are_refused():
    weights = specs.random_weights(specs.CORNERS["uneven"])
    with pytest.raises(WavestepError, match=r"weight 'condition.speaker.weight' does not belong"):
        build_step_graph(specs.PLAIN, weights)
