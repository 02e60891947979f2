"""A graph from elsewhere computes and does nothing else; ONNX Runtime sees no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper

from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_runtime.engines.onnx import graph_check
from wn_runtime.engines.onnx.graph_check import check_graph
from wn_runtime.engines.onnx.session import open_session, telling
from wn_runtime.errors import WavestepError

X = helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])
Y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])


def model(nodes: Sequence[onnx.NodeProto], **more: object) -> ModelProto:
    graph = helper.make_graph(nodes, "g", [X], [Y], **more)  # type: ignore[arg-type]
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def external() -> TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def endless() -> onnx.NodeProto:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["v"], ["w"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, [4]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [4]),
        ],
    )
    return helper.make_node("Loop", ["", "", "x"], ["y"], body=body)


def with_function() -> ModelProto:
    made = model([helper.make_node("Mine", ["x"], ["y"], domain="")])
    made.functions.append(
        helper.make_function("", "Mine", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], [])
    )
    return made


def constant(tensor: TensorProto) -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["w"], value=tensor)


add = helper.make_node("Add", ["x", "w"], ["y"])


def sparse() -> ModelProto:
    made = model([add])
    made.graph.sparse_initializer.add().values.CopyFrom(external())
    return made


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: model([add], initializer=[external()]), "it keeps data in other files"),
        (lambda: model([constant(external()), add]), "it keeps data in other files"),
        (sparse, "it keeps data in other files"),
        (lambda: model([endless()]), "Loop is a loop or a branch"),
        (
            lambda: model([helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")]),
            "operator 'Gelu' is of b'com.microsoft'",
        ),
        (with_function, "it brings functions of its own"),
    ],
)
def test_what_does_more_than_to_compute_is_refused(
    make: Callable[[], ModelProto], reason: str
) -> None:
    graph = make().SerializeToString()
    for refuse in (check_graph, open_session):
        with pytest.raises(WavestepError, match=f"^step.onnx is refused: {reason}"):
            refuse(graph, "step.onnx")


def varint(number: int) -> bytes:
    made = bytearray()
    while number >= 0x80:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number])


def field(number: int, data: bytes, key: int = 0) -> bytes:
    """Of a message, its key enlarged by `key`."""
    return varint((number << 3 | 2) + key) + varint(len(data)) + data


@pytest.mark.parametrize("key", [1 << 32, 1 << 35, 1 << 63])
def test_a_field_whose_number_only_protocol_buffers_understand_is_refused(key: int) -> None:
    """They keep the lower 32 bits of a key: ONNX Runtime would see a graph, and this none."""
    loop = endless()
    body = loop.attribute[0]
    hidden = field(1, body.name.encode()) + varint(20 << 3) + varint(body.type)
    hidden += field(6, body.g.SerializeToString(), key)
    del loop.attribute[:]
    node = loop.SerializeToString() + field(5, hidden)
    made = model([])
    graph = made.graph.SerializeToString() + field(1, node)
    del made.graph.node[:]
    made.ClearField("graph")
    whole = made.SerializeToString() + field(7, graph)
    for refuse in (check_graph, open_session):
        with pytest.raises(WavestepError, match=r"^it is refused: it is no ONNX graph \(field "):
            refuse(whole, "it")


@pytest.mark.parametrize(
    "extra", [field(27, b"x"), varint(9 << 3) + b"\1", field(100_000, b""), varint(0 << 3) + b"\0"]
)
def test_a_field_that_onnx_has_not_is_refused(extra: bytes) -> None:
    whole = model([add]).SerializeToString()
    with pytest.raises(WavestepError, match=r"^it is refused: it is no ONNX graph"):
        check_graph(whole + extra, "it")


def test_it_has_one_graph_exactly() -> None:
    whole = model([add])
    for graphs, count in (((), "no"), ((whole.graph, whole.graph), "2")):
        other = ModelProto(ir_version=8).SerializeToString()
        other += b"".join(field(7, graph.SerializeToString()) for graph in graphs)
        with pytest.raises(WavestepError, match=rf"ONNX graph \({count} graphs in it\)"):
            check_graph(other, "it")


def test_onnx_runtimes_own_format_is_refused(tmp_path: Path) -> None:
    """It would be read as a flat buffer, of which this check sees nothing."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "own.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    relu = model([helper.make_node("Relu", ["x"], ["y"])]).SerializeToString()
    ort.InferenceSession(relu, options, providers=["CPUExecutionProvider"])
    own = (tmp_path / "own.ort").read_bytes()
    ort.InferenceSession(own, providers=["CPUExecutionProvider"])
    for refuse in (check_graph, open_session):
        with pytest.raises(WavestepError, match="refused: it is of ONNX Runtime's own format"):
            refuse(own, "it")


def test_onnx_runtime_is_told_the_format(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Should a file of its own format ever pass."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "own.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    relu = model([helper.make_node("Relu", ["x"], ["y"])]).SerializeToString()
    ort.InferenceSession(relu, options, providers=["CPUExecutionProvider"])
    monkeypatch.setattr("wn_runtime.engines.onnx.session.check_graph", lambda *_: None)
    with pytest.raises(WavestepError, match="cannot load it"):
        open_session((tmp_path / "own.ort").read_bytes(), "it")


def test_what_is_known_of_messages_is_onnx_s() -> None:
    known: dict[Any, frozenset[int]] = {
        ModelProto: graph_check._MODEL,
        onnx.GraphProto: graph_check._GRAPH,
        onnx.NodeProto: graph_check._NODE,
        onnx.AttributeProto: graph_check._ATTRIBUTE,
        TensorProto: graph_check._TENSOR,
        onnx.SparseTensorProto: graph_check._SPARSE,
    }
    for message, numbers in known.items():
        has = {each.number for each in message.DESCRIPTOR.fields}
        assert has - numbers == set(), f"{message.__name__} has newer fields"


def branching() -> onnx.NodeProto:
    body = helper.make_graph([helper.make_node("Relu", ["x"], ["z"])], "then", [], [Y])
    return helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body)


def within(node: onnx.NodeProto, depth: int = 1) -> onnx.NodeProto:
    """A node in the body of a loop, so many deep."""
    for _ in range(depth):
        node = helper.make_node("Loop", ["", "", "x"], ["y"], body=model([node]).graph)
    return node


def of_somebody() -> onnx.NodeProto:
    return helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")


def test_a_generator_may_loop() -> None:
    for node in (endless(), within(add, 8)):
        check_graph(model([node]).SerializeToString(), "it", loops=True)


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (branching(), "If has a graph in it; a generator only loops"),
        (within(branching()), "If has a graph in it"),
        (within(of_somebody(), 2), "operator 'Gelu' is of b'com.microsoft'"),
        (within(constant(external()), 2), "it keeps data in other files"),
        (within(add, 9), "it has graphs within graphs, over 8 deep"),
    ],
)
def test_what_a_loop_does_is_held_to_the_same(node: onnx.NodeProto, reason: str) -> None:
    graph = model([node]).SerializeToString()
    with pytest.raises(WavestepError, match=f"^it is refused: {reason}"):
        check_graph(graph, "it", loops=True)


def test_nodes_within_loops_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_check, "MOST_NODES", 5)
    check_graph(model([within(add, 4)]).SerializeToString(), "it", loops=True)
    with pytest.raises(WavestepError, match="it has more than 5 nodes"):
        check_graph(model([within(add, 5)]).SerializeToString(), "it", loops=True)


def test_our_own_graphs_pass(tmp_path: Path) -> None:
    for name, spec in CORNERS.items():
        directory = write_model(tmp_path / name, spec, ("fp32", "fp16"), generator=True)
        for path in directory.glob("*.onnx"):
            check_graph(path.read_bytes(), path.name, loops=path.name == "generator.onnx")


def passes_or_is_refused(graph: bytes) -> None:
    for loops in (False, True):
        said = "it is refused: "
        try:
            check_graph(graph, "it", loops)
        except WavestepError as error:
            said = str(error)
        assert said.startswith("it is refused: ")


@given(st.binary(max_size=300))
def test_whatever_the_bytes_are_they_are_read_to_their_end_or_refused(data: bytes) -> None:
    passes_or_is_refused(data)


@given(data=st.data())
def test_a_damaged_graph_is_read_to_its_end_or_refused(data: st.DataObject) -> None:
    graph = bytearray(model([constant(external()), add]).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        graph[data.draw(st.integers(0, len(graph) - 1))] = data.draw(st.integers(0, 255))
    passes_or_is_refused(bytes(graph))


def test_a_graph_that_asks_for_all_memory_there_is_gets_a_line() -> None:
    """A tensor joined to itself until it has half a gibibyte."""
    nodes = [helper.make_node("Identity", ["x"], ["t0"])]
    nodes += [
        helper.make_node("Concat", [f"t{i}", f"t{i}"], [f"t{i + 1}"], axis=0) for i in range(25)
    ]
    nodes.append(helper.make_node("Slice", ["t25", "zero", "four"], ["y"]))
    ends = [
        helper.make_tensor(n, TensorProto.INT64, [1], [v]) for n, v in (("zero", 0), ("four", 4))
    ]
    session = open_session(model(nodes, initializer=ends).SerializeToString(), "step.onnx")
    with (
        pytest.raises(WavestepError, match=r"failed to run step.onnx \(.*Concat node"),
        telling("step.onnx"),
    ):
        session.run(None, {"x": np.ones(4, np.float32)})
