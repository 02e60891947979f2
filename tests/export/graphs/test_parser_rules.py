"""Every exported graph keeps the rules of TensorRT 10.3's parser, and each rule can be broken."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.models import specs
from tests.runtime.conditioning import local, stacks, stretching
from wn_export.graphs import parser_rules
from wn_export.graphs.builder import GraphBuilder
from wn_export.graphs.conditioner import build_conditioner_graph
from wn_export.graphs.conditioning.registry import PARTS
from wn_export.graphs.step import build_step_graph
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.errors import WavestepError
from wn_runtime.heads.registry import HEADS
from wn_runtime.model.spec import ModelSpec

SPECS: dict[str, ModelSpec] = {
    **specs.CORNERS,
    **{f"random_{seed}": specs.random_spec(seed) for seed in range(12)},
    **{
        f"{kind}_{k0}": specs.small_spec(output=head(), input_kernel=k0, residual_scale=0.5**0.5)
        for kind, head in HEADS.items()
        for k0 in (1, 3)
    },
}
CONDITIONERS: dict[str, ModelSpec] = {
    "speaker": specs.small_spec(conditions=(specs.SPEAKER,)),
    "speaker and mood": specs.small_spec(conditions=(specs.SPEAKER, specs.MOOD)),
    **{local.named(each): specs.small_spec(conditioning=(each,)) for each in local.EVERY},
    **{
        f"stretched, {name}": specs.small_spec(conditioning=(each,))
        for name, each in stretching.EVERY.items()
    },
    **{f"stack, {name}": stacks.spec_with(stack) for name, stack in stacks.EVERY.items()},
    "stack of amplitudes": stacks.spec_with(dataclasses.replace(stacks.PLAIN, classes=0)),
    "all": specs.small_spec(
        conditioning=(
            GlobalConditions((specs.SPEAKER,)),
            local.EVERY[-1],
            dataclasses.replace(stacks.PLAIN, block=24, pool=12),
        )
    ),
}


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_step_graph_keeps_them(spec: ModelSpec, precision: str, batch: int) -> None:
    model = build_step_graph(spec, specs.random_weights(spec), precision, batch)
    assert parser_rules.faults(model) == []


@pytest.mark.parametrize("spec", CONDITIONERS.values(), ids=CONDITIONERS)
def test_every_conditioner_graph_keeps_them(spec: ModelSpec) -> None:
    model = build_conditioner_graph(spec, specs.random_weights(spec), 2)
    assert parser_rules.faults(model) == []


def test_no_conditioner_is_left_out() -> None:
    assert {each.kind for spec in CONDITIONERS.values() for each in spec.conditioning} == set(PARTS)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, tuple[int, Sequence[Any]]],
    constants: dict[str, Any] | None = None,
    opset: int = 17,
) -> onnx.ModelProto:
    """A graph of one output, `y`, as far as onnx can tell."""
    graph = helper.make_graph(
        nodes,
        "odd",
        [helper.make_tensor_value_info(name, *each) for name, each in inputs.items()],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=parser_rules.IR_VERSION)
    return onnx.shape_inference.infer_shapes(model)


SINGLE, HALF, LONG = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64
MATRICES = {name: (HALF, [2, 2]) for name in "abc"}


def node(op: str, *inputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs, ["y"], name="n", **attributes)


BROKEN: dict[str, tuple[onnx.ModelProto, str]] = {
    "half precision and a beta": (
        model_of([node("Gemm", "a", "b", "c", beta=0.5)], MATRICES),
        r"Gemm n: beta = 0.5 becomes a FLOAT constant",
    ),
    "half precision and an alpha": (
        model_of([node("Gemm", "a", "b", alpha=2.0)], MATRICES),
        r"Gemm n: alpha = 2 becomes a FLOAT constant",
    ),
    "two types in a sum": (
        model_of([node("Add", "a", "b")], {"a": (HALF, [2]), "b": (SINGLE, [2])}),
        r"Add n: its inputs are FLOAT16, FLOAT: a strongly typed",
    ),
    "two types side by side": (
        model_of([node("Concat", "a", "b", axis=0)], {"a": (HALF, [2]), "b": (SINGLE, [2])}),
        r"Concat n: its inputs are FLOAT16, FLOAT",
    ),
    "another opset": (
        model_of([node("Add", "a", "b")], MATRICES, opset=18),
        r"the opset is \[\('', 18\)\], not \[\('', 17\)\]",
    ),
    "an op that is not on the list": (
        model_of([node("Multinomial", "a", sample_size=1)], {"a": (SINGLE, [1, 4])}),
        r"Multinomial n: no op that TensorRT 10.3 is known to take",
    ),
    "a size that a call decides": (
        model_of([node("Relu", "a")], {"a": (SINGLE, ["T", 2])}),
        r"a has the shape \(-1, 2\), which is not static",
    ),
    "a shape that is computed": (
        model_of([node("Reshape", "a", "b")], {"a": (SINGLE, [4]), "b": (LONG, [2])}),
        r"Reshape n: b is computed; it has to be an initialiser",
    ),
    "an index of int64": (
        model_of([node("Gather", "a", "b")], {"a": (SINGLE, [4, 2])}, {"b": np.array([1])}),
        r"Gather n: its indices are INT64, not INT32",
    ),
    "an input of int64": (
        model_of([node("Add", "a", "a")], {"a": (LONG, [4])}),
        r"a at the graph's border is INT64",
    ),
    "whole numbers in a product": (
        model_of([node("MatMul", "a", "a")], {"a": (TensorProto.INT32, [2, 2])}),
        r"MatMul n: its input is INT32",
    ),
    "a split without sizes": (
        model_of([helper.make_node("Split", ["a"], ["y", "z"], name="n")], {"a": (SINGLE, [4])}),
        r"Split n: no sizes",
    ),
    "as many sizes as pieces": (
        model_of(
            [helper.make_node("Split", ["a", "b"], ["y", "z"], name="n")],
            {"a": (SINGLE, [4])},
            {"b": np.array([2, 2], np.int32)},
        ),
        r"Split n: its sizes have to be 2 of int64",
    ),
    "nine dimensions": (
        model_of([node("Relu", "a")], {"a": (SINGLE, [1] * 9)}),
        r"a has 9 dimensions, more than 8",
    ),
    "a kernel that is computed": (
        model_of([node("Conv", "a", "b")], {"a": (SINGLE, [1, 1, 9]), "b": (SINGLE, [1, 1, 3])}),
        r"Conv n: b is computed",
    ),
    "a second output of a pool": (
        model_of(
            [helper.make_node("MaxPool", ["a"], ["y", "z"], name="n", kernel_shape=[2])],
            {"a": (SINGLE, [1, 1, 8])},
        ),
        r"MaxPool n: its second output",
    ),
    "a pool of every other": (
        model_of(
            [node("MaxPool", "a", kernel_shape=[2], dilations=[2])], {"a": (SINGLE, [1, 1, 8])}
        ),
        r"MaxPool n: dilations are \[2\], not ones",
    ),
    "a cast to what there is not": (
        model_of([node("Cast", "a", to=TensorProto.DOUBLE)], {"a": (SINGLE, [1])}),
        r"Cast n: it is to DOUBLE",
    ),
}


@pytest.mark.parametrize(("model", "words"), BROKEN.values(), ids=BROKEN)
def test_each_rule_can_be_broken(model: onnx.ModelProto, words: str) -> None:
    assert [fault for fault in parser_rules.faults(model) if re.match(words, fault)]


def test_a_product_of_single_precision_may_have_a_beta() -> None:
    """The parser's constant is of its type, and ONNX Runtime has the sum for nothing."""
    model = model_of(
        [node("Gemm", "a", "b", "c", beta=0.5)], {name: (SINGLE, [2, 2]) for name in "abc"}
    )
    assert not [fault for fault in parser_rules.faults(model) if fault.startswith("Gemm")]


def refused(graph: GraphBuilder) -> str:
    graph.output("y", [2, 2])
    with pytest.raises(WavestepError) as error:
        graph.model({})
    return str(error.value)


def of_beta(graph: GraphBuilder) -> None:
    graph.node("Gemm", "y", graph.input("a", [2, 2]), "a", "a", beta=0.5)


def of_another_op(graph: GraphBuilder) -> None:
    graph.node("HardSwish", "y", graph.input("a", [2, 2]))


@pytest.mark.parametrize("fill", [of_beta, of_another_op])
def test_a_graph_that_breaks_one_is_not_exported(fill: Callable[[GraphBuilder], None]) -> None:
    graph = GraphBuilder("odd", "fp16")
    fill(graph)
    text = refused(graph)
    assert text.startswith("TensorRT 10.3 does not take the graph odd: ")
    assert "\n" not in text
