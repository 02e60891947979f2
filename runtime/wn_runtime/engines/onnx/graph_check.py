"""What a graph from elsewhere may ask of ONNX Runtime, read from its bytes before that sees them.

A graph is data as long as it only computes. What it could ask beyond that is refused here: reading
other files (external data), loops and branches (a step that never ends), operators outside ONNX's
own, and functions, which could hide any of these; and so is what ONNX Runtime might read otherwise
than this does: fields that onnx.proto does not have, and its own format, a flat buffer. A generator
graph may loop: whoever runs one bounds its time (`watch.py`). The device has no onnx package, so
the few fields are read straight from protocol buffers' wire format
(protobuf.dev/programming-guides/encoding); their numbers are those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from wn_runtime.errors import WavestepError

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_FIXED = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}
# ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto, SparseTensorProto of onnx.proto
_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OP, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES = 22, 23
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14
_SPARSE_VALUES, _SPARSE_INDICES = 1, 2
_MODEL = frozenset({*range(1, 9), 14, 20, 25, 26})
_GRAPH = frozenset({1, 2, 5, *range(10, 17)})
_NODE = frozenset(range(1, 11))
_ATTRIBUTE = frozenset({*range(1, 12), 13, 14, 15, *range(20, 24)})
_TENSOR = frozenset({*range(1, 15), 16})
_SPARSE = frozenset({1, 2, 3})
"""The fields of each, as of IR version 13 (ONNX 1.20)."""
_ORT_FORMAT = b"ORTM"  # from the fifth byte on, by which ONNX Runtime tells its own format
_LARGEST_KEY = 1 << 32  # of which protocol buffers would drop the upper bits
_OWN_DOMAINS = (b"", b"ai.onnx")
MOST_NODES = 200_000
"""A hundred times those of a step of a thousand layers."""
DEEPEST = 8
"""Graphs within graphs."""
LOOPS = ("Loop", "Scan")

Field = tuple[int, "int | memoryview"]


class _Refused(Exception):
    """Why."""


def check_graph(graph: bytes, what: str, loops: bool = False) -> None:
    """Raise WavestepError unless a serialised ModelProto, `what` in messages, only computes.

    loops: whether it may repeat a part of itself.
    """
    try:
        if graph[4:8] == _ORT_FORMAT:
            raise _Refused("it is of ONNX Runtime's own format")
        checked = 0
        for number, value in _fields(memoryview(graph), _MODEL):
            if number == _MODEL_FUNCTIONS:
                raise _Refused("it brings functions of its own")
            if number == _MODEL_GRAPH:
                _Check(loops).graph(_message(value), 0)
                checked += 1
        if checked != 1:
            raise _Refused(f"it is no ONNX graph ({checked or 'no'} graphs in it)")
    except _Refused as refused:
        raise WavestepError(f"{what} is refused: {refused}; export the model again") from refused


class _Check:
    """Of a graph and those within it."""

    def __init__(self, loops: bool) -> None:
        self._loops, self._nodes = loops, 0

    def graph(self, graph: memoryview, depth: int) -> None:
        if depth > DEEPEST:
            raise _Refused(f"it has graphs within graphs, over {DEEPEST} deep")
        for number, value in _fields(graph, _GRAPH):
            if number == _GRAPH_NODE:
                self._nodes += 1
                if self._nodes > MOST_NODES:
                    raise _Refused(f"it has more than {MOST_NODES} nodes")
                self._node(_message(value), depth)
            elif number == _GRAPH_INITIALIZER:
                _check_tensor(_message(value))
            elif number == _GRAPH_SPARSE:
                _check_sparse(_message(value))

    def _node(self, node: memoryview, depth: int) -> None:
        operator, domain = "", b""
        attributes = []
        for number, value in _fields(node, _NODE):
            if number == _NODE_OP:
                operator = bytes(_message(value)).decode("utf-8", "replace")
            elif number == _NODE_DOMAIN:
                domain = bytes(_message(value))
            elif number == _NODE_ATTRIBUTE:
                attributes.append(_message(value))
        if domain not in _OWN_DOMAINS:
            raise _Refused(f"operator {operator!r} is of {domain!r}, not of ONNX")
        for attribute in attributes:
            for number, value in _fields(attribute, _ATTRIBUTE):
                if number in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
                    if not self._loops:
                        raise _Refused(f"{operator} is a loop or a branch; a step has neither")
                    if operator not in LOOPS:
                        raise _Refused(f"{operator} has a graph in it; a generator only loops")
                    self.graph(_message(value), depth + 1)
                if number in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
                    _check_tensor(_message(value))
                if number in (_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES):
                    _check_sparse(_message(value))


def _check_sparse(sparse: memoryview) -> None:
    for number, value in _fields(sparse, _SPARSE):
        if number in (_SPARSE_VALUES, _SPARSE_INDICES):
            _check_tensor(_message(value))


def _check_tensor(tensor: memoryview) -> None:
    for number, value in _fields(tensor, _TENSOR):
        if number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value != 0):
            raise _Refused("it keeps data in other files")


def _fields(message: memoryview, known: Container[int]) -> Iterator[Field]:
    """The fields of a message: their numbers, of those known, and an integer or the bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if key >= _LARGEST_KEY or number not in known:
            raise _Refused(f"it is no ONNX graph (field {number})")
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise _Refused(f"it is no ONNX graph (wire type {kind})")
        if size > len(message) - at:
            raise _Refused("it is no ONNX graph (truncated)")
        yield number, message[at : at + size]
        at += size


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise _Refused("it is no ONNX graph (a number where a message is)")
    return value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """An integer, and where the next thing begins."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _Refused("it is no ONNX graph (a broken number)")
