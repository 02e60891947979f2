"""step.onnx and conditioner.onnx: graphs that are valid and hostile, or not quite valid."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def change(path: Path, what: str) -> None:
    """One of `CHANGES`."""
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf's own kinds
        raise OSError(f"{path} was changed by an edit before") from error
    CHANGES[what](model)
    path.write_bytes(model.SerializeToString())


def _external(model: Any, location: str = "../victim/notes", offset: int = 0) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", str(offset))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def _append(model: Any, nodes: Callable[[str], list[Any]]) -> None:
    """Nodes from the first output, under a new name, to the output."""
    graph = model.graph
    name = graph.output[0].name
    for node in graph.node:
        for i, output in enumerate(node.output):
            if output == name:
                node.output[i] = "before"
    graph.node.extend(nodes(name))


def _const(model: Any, name: str, value: Any) -> str:
    model.graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    return name


def _forever(model: Any) -> None:
    """A loop of 2^62 rounds whose result is added."""
    condition = helper.make_node("Identity", ["go"], ["goes"])
    work = helper.make_node("Identity", ["carried"], ["carries"])
    body = helper.make_graph(
        [condition, work],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("carried", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("goes", TensorProto.BOOL, []),
            helper.make_tensor_value_info("carries", TensorProto.FLOAT, None),
        ],
    )
    rounds, go = _const(model, "rounds", np.int64(2**62)), _const(model, "true", True)
    _append(model, lambda out: [helper.make_node("Loop", [rounds, go, "before"], [out], body=body)])


def _doubled(model: Any, times: int = 34) -> None:
    """The output beside itself, again and again; then its mean is added."""

    def nodes(out: str) -> list[Any]:
        names = ["before", *(f"double{i}" for i in range(times))]
        chain = [
            helper.make_node("Concat", [a, a], [b], axis=0) for a, b in itertools.pairwise(names)
        ]
        mean = helper.make_node("ReduceMean", [names[-1]], ["mean"], keepdims=0)
        return [*chain, mean, helper.make_node("Add", ["before", "mean"], [out])]

    _append(model, nodes)


def _filled(model: Any) -> None:
    shape = _const(model, "shape", np.array([2**40], np.int64))
    _append(
        model,
        lambda out: [
            helper.make_node("ConstantOfShape", [shape], ["filled"]),
            helper.make_node("ReduceMean", ["filled"], ["mean"], keepdims=0),
            helper.make_node("Add", ["before", "mean"], [out]),
        ],
    )


def _one(model: Any, op: str, domain: str = "") -> None:
    _append(model, lambda out: [helper.make_node(op, ["before"], [out], domain=domain)])
    if domain:
        model.opset_import.append(helper.make_opsetid(domain, 1))


def _divide(model: Any) -> None:
    """A run-time failure: an index out of range."""
    index = _const(model, "index", np.array([10**6], np.int64))
    _append(
        model,
        lambda out: [
            helper.make_node("Gather", ["before", index], ["row"], axis=0),
            helper.make_node("Add", ["before", "row"], [out]),
        ],
    )


def _initializers(model: Any, value: float) -> None:
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype.kind == "f":
            filled = np.full(array.shape, value).astype(array.dtype)
            tensor.CopyFrom(numpy_helper.from_array(filled, tensor.name))


def _dims(values: Any, size: int) -> None:
    for value in values:
        for dim in value.type.tensor_type.shape.dim:
            dim.dim_value = size


def _typed(values: Any, kind: int) -> None:
    for value in values:
        value.type.tensor_type.elem_type = kind


def _renamed(values: Any, name: str) -> None:
    values[0].name = name


def _shape_of(model: Any) -> None:
    model.graph.initializer[0].dims.append(2**40)


CHANGES: dict[str, Callable[[Any], object]] = {
    "external": _external,
    "external absolute": functools.partial(_external, location="/dev/zero"),
    "external within": functools.partial(_external, location="weights.safetensors", offset=8),
    "forever": _forever,
    "doubled": _doubled,
    "doubled a little": functools.partial(_doubled, times=22),
    "filled": _filled,
    "unknown op": functools.partial(_one, op="Explode"),
    "unknown domain": functools.partial(_one, op="Explode", domain="com.example"),
    "microsoft op": functools.partial(_one, op="Gelu", domain="com.microsoft"),
    "python op": functools.partial(_one, op="PyOp", domain="ai.onnx.contrib"),
    "transpose": functools.partial(_one, op="Transpose"),
    "shape": functools.partial(_one, op="Shape"),
    "out of range": _divide,
    "nan": functools.partial(_initializers, value=float("nan")),
    "inf": functools.partial(_initializers, value=float("inf")),
    "zeros": functools.partial(_initializers, value=0.0),
    "input dims": lambda model: _dims(model.graph.input, 3),
    "output dims": lambda model: _dims(model.graph.output, 2**40),
    "negative dims": lambda model: _dims(model.graph.input, -1),
    "input type": lambda model: _typed(model.graph.input, TensorProto.DOUBLE),
    "output type": lambda model: _typed(model.graph.output, TensorProto.STRING),
    "unknown type": lambda model: _typed(model.graph.input, 99),
    "input name": lambda model: _renamed(model.graph.input, "x\x1b[31m\n"),
    "output name": lambda model: _renamed(model.graph.output, ""),
    "no nodes": lambda model: model.graph.ClearField("node"),
    "no outputs": lambda model: model.graph.ClearField("output"),
    "no inputs": lambda model: model.graph.ClearField("input"),
    "no graph": lambda model: model.ClearField("graph"),
    "no initializers": lambda model: model.graph.ClearField("initializer"),
    "no opset": lambda model: model.ClearField("opset_import"),
    "new opset": lambda model: model.opset_import.append(helper.make_opsetid("", 999)),
    "new version": lambda model: setattr(model, "ir_version", 999),
    "cycle": lambda model: model.graph.node[0].input.append(model.graph.node[-1].output[0]),
    "huge initializer": _shape_of,
    "one input more": lambda model: model.graph.input.append(
        helper.make_tensor_value_info("more", TensorProto.FLOAT, [1])
    ),
    "one output more": lambda model: model.graph.output.append(
        helper.make_tensor_value_info("more", TensorProto.FLOAT, [1])
    ),
    "metadata": lambda model: model.metadata_props.append(
        onnx.StringStringEntryProto(key="\x1b[31m", value="x")
    ),
}
"""What becomes of a graph, by name."""
