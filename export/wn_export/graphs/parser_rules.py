"""What TensorRT 10.3's parser takes of a graph, in a strongly typed network: a linter.

10.3 is JetPack 6's, and the oldest that plans are built with; no machine of ours has its parser,
and TensorRT-RTX's, which the tests run, is a newer one that takes more. So its rules are written
down here, as the sources of onnx-tensorrt have them, and every graph that GraphBuilder makes is
held to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import onnx
from onnx import TensorProto

from wn_export.graphs.faults import require_none

OPSET = 17
"""The newest whose every op TensorRT 10.3 (JetPack 6) runs right: later ScatterND needs 10.9."""
IR_VERSION = 8
"""The file format that came with opset 17: older parsers refuse newer ones."""
MOST_DIMENSIONS = 8

FLOATS = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16})
NUMBERS = FLOATS | {TensorProto.INT32, TensorProto.INT64}
ANY = NUMBERS | {TensorProto.BOOL}
OPS: dict[str, frozenset[int]] = {
    **dict.fromkeys(("Abs", "Add", "Div", "Max", "Min", "Mul", "Neg", "Relu", "Sub"), NUMBERS),
    **dict.fromkeys(("ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"), NUMBERS),
    **dict.fromkeys(("AveragePool", "MaxPool", "Conv", "ConvTranspose", "Gemm", "MatMul"), FLOATS),
    **dict.fromkeys(("Clip", "Elu", "LeakyRelu", "Sigmoid", "Softmax", "Softplus", "Tanh"), FLOATS),
    **dict.fromkeys(("Cos", "Erf", "Exp", "Log", "Pow", "Reciprocal", "Sin", "Sqrt"), FLOATS),
    **dict.fromkeys(("Cast", "Concat", "Expand", "Gather", "Identity", "Reshape"), ANY),
    **dict.fromkeys(("Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"), ANY),
}
"""The ops that a graph may have, with the element types of their first input."""
BORDER = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT32})
"""Element types of a graph's inputs and outputs."""
SAME_TYPES = {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Concat", "Gemm", "MatMul"} | {
    *("Clip", "Conv", "ConvTranspose"),
}
"""Ops whose inputs bear one type: strong typing converts none."""
CONSTANTS: dict[str, Sequence[int]] = {
    "Reshape": (1,),
    "Expand": (1,),
    "Split": (1,),
    "ReduceSum": (1,),
    "Unsqueeze": (1,),
    "Slice": (1, 2, 3, 4),
    "Clip": (1, 2),
    "Conv": (1, 2),
}
"""Inputs that have to be initialisers: shapes, axes, bounds and kernels, known as it parses."""


@dataclass(frozen=True)
class _Graph:
    """A graph's tensors by name."""

    types: dict[str, int]
    shapes: dict[str, tuple[int, ...]]
    constants: dict[str, TensorProto]

    def type_of(self, node: onnx.NodeProto, index: int = 0) -> int:
        """The element type of an input; UNDEFINED where nothing says it."""
        return self.types.get(node.input[index], TensorProto.UNDEFINED)


def require(model: onnx.ModelProto) -> None:
    """Raise WavestepError with the first fault of a graph, where it has any."""
    require_none(model, faults(model), "TensorRT 10.3 does not take", __name__)


def wrong_versions(model: onnx.ModelProto) -> list[str]:
    """A line for the opset and the IR version, where they are not what every graph here has."""
    return [
        f"{what} is {value}, not {wanted}"
        for what, value, wanted in (
            ("the opset", [(o.domain, o.version) for o in model.opset_import], [("", OPSET)]),
            ("the file's IR version", model.ir_version, IR_VERSION),
        )
        if value != wanted
    ]


def faults(model: onnx.ModelProto) -> list[str]:
    """What the parser of TensorRT 10.3 would refuse or misread in a graph, a line each.

    The model's shapes have to be inferred.
    """
    graph = model.graph
    found = wrong_versions(model)
    tensors = _tensors(graph)
    for value in (*graph.input, *graph.output):
        if tensors.types[value.name] not in BORDER:
            found.append(f"{value.name} at the graph's border is {_name(tensors, value.name)}")
    for name, shape in tensors.shapes.items():
        if not all(size > 0 for size in shape):
            found.append(f"{name} has the shape {shape}, which is not static")
        if len(shape) > MOST_DIMENSIONS:
            found.append(f"{name} has {len(shape)} dimensions, more than {MOST_DIMENSIONS}")
    for node in graph.node:
        found += [f"{node.op_type} {node.name}: {fault}" for fault in _of_node(node, tensors)]
    return found


def _of_node(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
    if node.domain or node.op_type not in OPS:
        yield "no op that TensorRT 10.3 is known to take"
        return
    unknown = [name for name in node.output if name not in graph.shapes]
    if unknown:
        yield f"no shape is known of {', '.join(unknown)}"
    if graph.type_of(node) not in OPS[node.op_type]:
        yield f"its input is {_name(graph, node.input[0])}"
    alike = [name for name in node.input if name and node.op_type in SAME_TYPES]
    if len({graph.types.get(name) for name in alike}) > 1:
        types = ", ".join(_name(graph, name) for name in alike)
        yield f"its inputs are {types}: a strongly typed network converts none"
    for index in CONSTANTS.get(node.op_type, ()):
        if index < len(node.input) and node.input[index] not in ("", *graph.constants):
            yield f"{node.input[index]} is computed; it has to be an initialiser"
    if node.op_type in _MORE:
        yield from _MORE[node.op_type](node, graph)


def _gemm(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
    scales = {a.name: a.f for a in node.attribute if a.name in ("alpha", "beta") and a.f != 1}
    if scales and graph.type_of(node) != TensorProto.FLOAT:
        said = ", ".join(f"{name} = {value:g}" for name, value in scales.items())
        yield f"{said} becomes a FLOAT constant, which does not multiply with half precision"
    for name in node.input[:2]:
        if len(graph.shapes.get(name, ())) != 2:
            yield f"{name} is no matrix: {graph.shapes.get(name)}"


def _split(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
    """The parser reads the sizes' bytes as int64, whatever they are."""
    sizes = graph.constants.get(node.input[1]) if len(node.input) > 1 else None
    if sizes is None:
        yield "no sizes; the parser's own for an uneven split are not ONNX's"
    elif (sizes.data_type, *sizes.dims) != (TensorProto.INT64, len(node.output)):
        yield f"its sizes have to be {len(node.output)} of int64"


def _gather(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
    """Indices of int64 are cast to int32, a layer more."""
    if graph.type_of(node, 1) != TensorProto.INT32:
        yield f"its indices are {_name(graph, node.input[1])}, not INT32"


def _conv(node: onnx.NodeProto, graph: _Graph) -> Iterator[str]:
    sizes = [len(graph.shapes.get(name, ())) for name in node.input]
    if sizes[:2] not in ([3, 3], [4, 4]) or sizes[2:] not in ([], [1]):
        yield f"its input, kernel and bias have {sizes} dimensions"


def _pool(node: onnx.NodeProto, _: _Graph) -> Iterator[str]:
    if len(node.output) > 1:
        yield "its second output is not there"
    for attribute in node.attribute:
        if attribute.name == "dilations" and set(attribute.ints) != {1}:
            yield f"dilations are {list(attribute.ints)}, not ones"


def _cast(node: onnx.NodeProto, _: _Graph) -> Iterator[str]:
    for attribute in node.attribute:
        if attribute.name == "to" and attribute.i not in ANY:
            yield f"it is to {TensorProto.DataType.Name(attribute.i)}"


_MORE: dict[str, Callable[[onnx.NodeProto, _Graph], Iterator[str]]] = {
    "AveragePool": _pool,
    "Cast": _cast,
    "Conv": _conv,
    "ConvTranspose": _conv,
    "Gather": _gather,
    "Gemm": _gemm,
    "MaxPool": _pool,
    "Split": _split,
}


def _tensors(graph: onnx.GraphProto) -> _Graph:
    types, shapes = {}, {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        kind = value.type.tensor_type
        types[value.name] = kind.elem_type
        if kind.HasField("shape"):
            shapes[value.name] = tuple(
                dim.dim_value if dim.HasField("dim_value") else -1 for dim in kind.shape.dim
            )
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for name, tensor in constants.items():
        types[name], shapes[name] = tensor.data_type, tuple(tensor.dims)
    return _Graph(types, shapes, constants)


def _name(graph: _Graph, tensor: str) -> str:
    return str(TensorProto.DataType.Name(graph.types.get(tensor, TensorProto.UNDEFINED)))
