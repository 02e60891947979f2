"""A thin layer over `onnx.helper`: names, shapes and types once, and a model that is checked.

Plain `onnx.helper` rather than onnxscript or onnx-ir: the graphs are a few hundred nodes written
straight from the weights, so nothing is traced or rewritten, and a Jetson that rebuilds its own
graphs needs no package beyond `onnx` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from wn_export.graphs import parser_rules
from wn_runtime.engines.step_signature import ELEMENTS


class GraphBuilder:
    """Collects nodes, each named after its place in the model; every output bears its node's name.

    Floating-point initialisers are cast to the graph's own type.
    """

    def __init__(self, name: str, precision: str, scope: str = "") -> None:
        """scope: of a graph inside another, what the constants that it names itself begin with.

        A name means one tensor in a graph and all that are inside it.
        """
        self.element = ELEMENTS[precision]
        self._name, self._scope = name, scope
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, TensorProto] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    @property
    def names(self) -> set[str]:
        """Of all nodes' outputs so far."""
        return {name for node in self._nodes for name in node.output}

    def input(self, name: str, shape: Sequence[int | str], dtype: Any = None) -> str:
        """A graph input, by default of the graph's own type; sizes with a name are any."""
        self._inputs.append(_value(name, shape, dtype or self.element))
        return name

    def output(self, name: str, shape: Sequence[int | str], dtype: Any = None) -> None:
        """Declare the node output `name` a graph output."""
        self._outputs.append(_value(name, shape, dtype or self.element))

    def constant(self, name: str, array: NDArray[Any] | Sequence[int], dtype: Any = None) -> str:
        """An initialiser: floats in the graph's own type unless `dtype` is given, others as is."""
        values = np.asarray(array)
        if values.dtype.kind == "f":
            values = values.astype(dtype or self.element)
        assert name not in self._initializers, name
        self._initializers[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def shape(self, *sizes: int) -> str:
        """An int64 vector as an initialiser, one for equal vectors: a shape, axes, or sizes."""
        # with a slash, as no input is called
        name = f"{self._scope}shape/" + "x".join(map(str, sizes))
        if name not in self._initializers:
            self.constant(name, np.array(sizes, np.int64))
        return name

    def node(self, op: str, name: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and return the output's name, which is the node's."""
        self._nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def cast(self, name: str, tensor: str, dtype: Any) -> str:
        """A tensor's values as another element type."""
        return self.node("Cast", name, tensor, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def padded(
        self, name: str, tensor: str, rows: str, shape: Sequence[int], dtype: Any = None
    ) -> str:
        """A tensor (n, *shape) with zeros behind it, as many rows as `rows` [1] says."""
        of_type = np.zeros(1, dtype or self.element)
        size = self.node("Concat", f"{name}/size", rows, self.shape(*shape), axis=0)
        zeros = self.node(
            "ConstantOfShape", f"{name}/zeros", size, value=numpy_helper.from_array(of_type)
        )
        return self.node("Concat", name, tensor, zeros, axis=0)

    def several(
        self, op: str, name: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> None:
        """Add a node with outputs of their own names; an attribute may be a graph."""
        self._nodes.append(helper.make_node(op, inputs, list(outputs), name=name, **attributes))

    def split(self, name: str, tensor: str, names: Sequence[str], size: int, axis: int) -> None:
        """Cut `tensor` along `axis` into equal pieces of `size`, called `names`."""
        if len(names) == 1:  # Split of one is no cut, and TensorRT would copy for it
            self.node("Identity", names[0], tensor)
            return
        sizes = f"{self._scope}sizes/{len(names)}_of_{size}"
        if sizes not in self._initializers:
            self.constant(sizes, np.full(len(names), size, np.int64))
        self._nodes.append(
            helper.make_node("Split", [tensor, sizes], list(names), name=name, axis=axis)
        )

    def graph(self) -> onnx.GraphProto:
        """The graph as it is, to be a part of another."""
        return helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, list(self._initializers.values())
        )

    def model(
        self,
        metadata: Mapping[str, str],
        require: Callable[[onnx.ModelProto], None] = parser_rules.require,
    ) -> onnx.ModelProto:
        """The checked model with every tensor's shape inferred.

        require: the rules of who is to take it; those of TensorRT 10.3 unless others are given.
        Raises onnx's own errors, and WavestepError where it breaks the rules.
        """
        model = helper.make_model(
            self.graph(),
            opset_imports=[helper.make_opsetid("", parser_rules.OPSET)],
            ir_version=parser_rules.IR_VERSION,
            producer_name="wavestep",
        )
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model, full_check=True)
        inferred = onnx.shape_inference.infer_shapes(
            model, check_type=True, strict_mode=True, data_prop=True
        )
        require(inferred)
        return inferred


def _value(name: str, shape: Sequence[int | str], dtype: Any) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape)
    )
