"""What any ONNX Runtime takes, on a phone or in WebAssembly too, of a generator graph: a linter.

Its CPU kernels of opset 17, with the element types that 1.17, the oldest that wavestep installs,
has for them; they are fewer than ONNX defines. And a name is one tensor, in the graph and all that
are within it: hosts differ in which they find.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import onnx
from onnx import AttributeProto, TensorProto

from wn_export.graphs.faults import require_none
from wn_export.graphs.parser_rules import wrong_versions

_SINGLE, _DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE
_FLOATS = frozenset({_SINGLE, _DOUBLE})
_INTEGERS = frozenset({TensorProto.INT32, TensorProto.INT64})
_NUMBERS = _FLOATS | _INTEGERS
_ANY = _NUMBERS | {TensorProto.BOOL}
OPS: dict[str, frozenset[int]] = {
    **dict.fromkeys(("Abs", "Add", "Clip", "Div", "Greater", "Less", "LessOrEqual"), _NUMBERS),
    **dict.fromkeys(("Max", "Min", "Mul", "ReduceSum", "Sign", "Sub", "CumSum"), _NUMBERS),
    **dict.fromkeys(("Exp", "Neg", "Relu", "ReduceMax", "Round", "Sqrt"), _FLOATS),
    **dict.fromkeys(("Gemm", "Log", "MatMul", "Sigmoid", "Tanh"), frozenset({_SINGLE})),
    "ArgMax": frozenset({_SINGLE, TensorProto.INT32}),
    "Range": _INTEGERS,
    "Where": frozenset({TensorProto.BOOL}),  # what it chooses from is checked where it is made
    "Equal": _ANY,
    **dict.fromkeys(("Cast", "Concat", "Gather", "GatherElements", "Identity", "Reshape"), _ANY),
    **dict.fromkeys(("ScatterND", "Shape", "Slice", "Split", "Squeeze", "Transpose"), _ANY),
    "ConstantOfShape": frozenset({TensorProto.INT64}),
    **dict.fromkeys(("Loop", "Scan"), _ANY),
}
"""The ops that a graph may have, with the element types of their first input."""


def require(model: onnx.ModelProto) -> None:
    """Raise WavestepError with the first fault of a graph, where it has any."""
    require_none(model, faults(model), "not every ONNX Runtime takes", __name__)


def faults(model: onnx.ModelProto) -> list[str]:
    """What some ONNX Runtime would refuse of a graph, a line each.

    The model's shapes have to be inferred.
    """
    found = wrong_versions(model)
    if model.functions:
        found.append("it brings functions of its own")
    names = Counter(name for graph in _graphs(model.graph) for name in _defined(graph))
    found += [f"{name} names {count} tensors" for name, count in names.items() if count > 1]
    return found + list(_of_graph(model.graph, {}))


def _of_graph(graph: onnx.GraphProto, outer: dict[str, int]) -> Iterator[str]:
    types = {**outer, **_types(graph)}
    for tensor in graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            yield f"{tensor.name} is in another file"
    for node in graph.node:
        for fault in _of_node(node, types):
            yield f"{node.op_type} {node.name}: {fault}"
        for inside in _inside(node):
            yield from _of_graph(inside, types)


def _of_node(node: onnx.NodeProto, types: dict[str, int]) -> Iterator[str]:
    if node.domain or node.op_type not in OPS:
        yield "no op that every ONNX Runtime is known to have"
        return
    unknown = [name for name in (*node.input, *node.output) if name and name not in types]
    if unknown:
        yield f"no type is known of {', '.join(unknown)}"
    first = types.get(node.input[0])
    if first is not None and first not in OPS[node.op_type]:
        yield f"its input is {TensorProto.DataType.Name(first)}"
    if any(True for _ in _inside(node)) != (node.op_type in ("Loop", "Scan")):
        yield "only Loop and Scan have a graph in them, and they do"


def _inside(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """It, and all that are within it."""
    yield graph
    for node in graph.node:
        for inside in _inside(node):
            yield from _graphs(inside)


def _defined(graph: onnx.GraphProto) -> Iterator[str]:
    """Every tensor that the graph itself names."""
    yield from (value.name for value in graph.input)
    yield from (tensor.name for tensor in graph.initializer)
    yield from (name for node in graph.node for name in node.output if name)


def _types(graph: onnx.GraphProto) -> dict[str, int]:
    """Element types by name."""
    values = (*graph.input, *graph.value_info, *graph.output)
    return {
        **{value.name: value.type.tensor_type.elem_type for value in values},
        **{tensor.name: tensor.data_type for tensor in graph.initializer},
    }
