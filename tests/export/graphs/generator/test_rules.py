"""Every generator graph keeps the rules for any ONNX Runtime, and each rule can be broken."""

from __future__ import annotations

import re
from collections.abc import Callable

import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from tests.models.generators import MODELS
from tests.models.specs import PLAIN, random_spec, random_weights
from wn_export.graphs.generator import rules
from wn_export.graphs.generator.graph import build_generator_graph
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec

SPECS = {**MODELS, **{f"random_{seed}": random_spec(seed) for seed in range(6)}}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_generator_graph_keeps_them(spec: ModelSpec) -> None:
    assert rules.faults(build_generator_graph(spec, random_weights(spec), 2)) == []


def body_of(model: ModelProto) -> onnx.GraphProto:
    """That of the loop over blocks."""
    (loop,) = (node for node in model.graph.node if node.op_type == "Loop")
    body: onnx.GraphProto = helper.get_node_attr_value(loop, "body")
    return body


def another_opset(model: ModelProto) -> None:
    model.opset_import[0].version = 18


def an_op_of_somebody(model: ModelProto) -> None:
    model.graph.node[0].domain = "com.microsoft"


def an_op_that_is_not_on_the_list(model: ModelProto) -> None:
    body_of(model).node[0].op_type = "Multinomial"


def a_name_twice(model: ModelProto) -> None:
    body_of(model).initializer.append(helper.make_tensor("uniforms", TensorProto.FLOAT, [1], [0.0]))


def a_kernel_that_is_not_there(model: ModelProto) -> None:
    node = next(node for node in model.graph.node if node.op_type == "Transpose")
    node.op_type = "Tanh"  # of state.samples, which are integers


def a_type_that_nobody_knows(model: ModelProto) -> None:
    del body_of(model).value_info[:]


def a_branch(model: ModelProto) -> None:
    next(node for node in model.graph.node if node.op_type == "Loop").op_type = "Identity"


def data_elsewhere(model: ModelProto) -> None:
    body_of(model).initializer[0].data_location = TensorProto.EXTERNAL


def a_function(model: ModelProto) -> None:
    model.functions.append(onnx.FunctionProto(name="Mine"))


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (another_opset, r"the opset is \[\('', 18\)\], not \[\('', 17\)\]"),
        (an_op_of_somebody, "no op that every ONNX Runtime is known to have"),
        (an_op_that_is_not_on_the_list, "Multinomial .*: no op that every"),
        (a_name_twice, "uniforms names 2 tensors"),
        (a_kernel_that_is_not_there, "Tanh call/sample: its input is INT32"),
        (a_type_that_nobody_knows, "no type is known of block/start"),
        (a_branch, "only Loop and Scan have a graph in them"),
        (data_elsewhere, "is in another file"),
        (a_function, "functions of its own"),
    ],
)
def test_each_can_be_broken(spoil: Callable[[ModelProto], None], fault: str) -> None:
    model = build_generator_graph(PLAIN, random_weights(PLAIN))
    spoil(model)
    assert any(re.search(fault, each) for each in rules.faults(model))
    with pytest.raises(WavestepError, match="not every ONNX Runtime takes the graph generator"):
        rules.require(model)
