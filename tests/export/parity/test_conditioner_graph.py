"""A conditioner.onnx that is not the model's is one error before it runs; a row where it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.export.references import reference_of
from tests.models import model_dir, specs
from wn_export.parity.conditioner import CONDITIONER, compare_conditioners
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage

SPEC = specs.CORNERS["two_conditions"]
REFERENCE = reference_of(SPEC, conditions={"speaker": "eve", "mood": "calm+loud"})
Change = Callable[[onnx.ModelProto], object]


def with_graph(tmp_path: Path, change: Change, batch: int = 1) -> ModelPackage:
    """A model directory whose manifest vouches for a graph that was changed."""
    directory = model_dir.write_model(tmp_path / "voice", SPEC, batch=batch)
    graph = onnx.load(directory / CONDITIONER)
    change(graph)
    (directory / CONDITIONER).write_bytes(graph.SerializeToString())
    manifest = manifests.read(directory)
    manifests.write(directory, manifests.with_file(manifest, directory / CONDITIONER))
    return ModelPackage(directory)


def block(text: str | None) -> Change:
    """Another block in its metadata; None: none."""

    def change(graph: onnx.ModelProto) -> None:
        others = {each.key: each.value for each in graph.metadata_props if each.key != "block"}
        del graph.metadata_props[:]
        helper.set_model_props(graph, others | ({} if text is None else {"block": text}))

    return change


@pytest.mark.parametrize(
    "text", [None, "", "0", "-1", "2", "1" * 5000, "1.0", "²", "1e3", "\x1b[31m", "1\n"]
)
def test_another_block_than_the_conditioners_have(tmp_path: Path, text: str | None) -> None:
    with pytest.raises(WavestepError, match=r"is not this model's: its block is .* 1 to 1 sa"):
        compare_conditioners(with_graph(tmp_path, block(text)), REFERENCE)


def extra_input(graph: onnx.ModelProto) -> None:
    graph.graph.input.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, [1]))


def extra_state(graph: onnx.ModelProto) -> None:
    """A state that goes through, but that this conditioner does not have."""
    for name, values in (("state.x", graph.graph.input), ("next.x", graph.graph.output)):
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1]))
    graph.graph.node.append(helper.make_node("Identity", ["state.x"], ["next.x"]))


def own_state(graph: onnx.ModelProto) -> None:
    """One that it has, of another type."""
    shape = [SPEC.layers, 1, SPEC.gate_channels]
    for name, values in (("state.0.bias", graph.graph.input), ("next.0.bias", graph.graph.output)):
        values.append(helper.make_tensor_value_info(name, TensorProto.DOUBLE, shape))
    graph.graph.node.append(helper.make_node("Identity", ["state.0.bias"], ["next.0.bias"]))


def no_bias(graph: onnx.ModelProto) -> None:
    graph.graph.node.append(helper.make_node("Identity", ["bias"], ["y"]))
    graph.graph.output[0].name = "y"


def other_type(graph: onnx.ModelProto) -> None:
    (speaker,) = [each for each in graph.graph.input if each.name == "speaker"]
    speaker.type.tensor_type.elem_type = TensorProto.INT64
    cast = helper.make_node("Cast", ["speaker"], ["speaker/cast"], to=TensorProto.INT32)
    for node in graph.graph.node:
        node.input[:] = ["speaker/cast" if name == "speaker" else name for name in node.input]
    graph.graph.node.insert(0, cast)


def any_batch(graph: onnx.ModelProto) -> None:
    for value in (*graph.graph.input, *graph.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            dimension.dim_param = "n"
    del graph.graph.value_info[:]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (extra_input, r"x is float32 \(1,\), the model has none such"),
        (extra_state, r"state\.x is .*, the model has none such"),
        (own_state, r"state\.0\.bias is float64 \(3, 1, 16\), the model has float32"),
        (no_bias, "output bias is absent"),
        (other_type, r"speaker is object \(1,\), the model has int32 \(1,\)"),
        (any_batch, r"mood is float32 \(n, n\), the model has float32 \(1, 2\)"),
    ],
)
def test_tensors_that_are_not_the_specs(tmp_path: Path, change: Change, fault: str) -> None:
    with pytest.raises(WavestepError, match=f"is not this model's: {fault}"):
        compare_conditioners(with_graph(tmp_path, change), REFERENCE)


def unreshapable(graph: onnx.ModelProto) -> None:
    """Its shapes are known only when it runs."""
    last = next(node for node in graph.graph.node if node.output[0] == "bias")
    shape = numpy_helper.from_array(np.array([7, -1]), "odd")
    graph.graph.initializer.append(shape)
    zero = helper.make_node("Cast", ["speaker"], ["zero"], to=TensorProto.INT64)
    total = helper.make_node("Add", ["odd", "zero"], ["odd/sum"])
    reshape = helper.make_node("Reshape", [last.input[0], "odd/sum"], ["bias"])
    graph.graph.node.remove(last)
    graph.graph.node.extend([zero, total, reshape])
    del graph.graph.value_info[:]


def other_shape(graph: onnx.ModelProto) -> None:
    """Declared as it should be, and given with its axes changed round."""
    last = next(node for node in graph.graph.node if node.output[0] == "bias")
    last.op_type = "Transpose"
    last.attribute.append(helper.make_attribute("perm", [0, 1, 3, 2]))
    shape = graph.graph.output[0].type.tensor_type.shape
    for dimension in shape.dim:
        dimension.dim_value = dimension.dim_value


@pytest.mark.parametrize("change", [unreshapable, other_shape])
def test_what_goes_wrong_while_it_runs_is_one_error(tmp_path: Path, change: Change) -> None:
    with pytest.raises(WavestepError, match=r"conditioner\.onnx") as told:
        compare_conditioners(with_graph(tmp_path, change), REFERENCE)
    assert "\n" not in str(told.value)


def test_a_bias_that_is_not_a_number_is_a_row_that_fails(tmp_path: Path) -> None:
    def change(graph: onnx.ModelProto) -> None:
        for each in graph.graph.initializer:
            if each.data_type == TensorProto.FLOAT:
                array = np.full_like(numpy_helper.to_array(each), np.nan)
                each.CopyFrom(numpy_helper.from_array(array, each.name))

    rows = compare_conditioners(with_graph(tmp_path, change), REFERENCE)
    assert [(row.passed, row.max_error is None) for row in rows] == [(True, False), (False, True)]


def test_more_streams_than_memory_are_refused_before_they_are_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = with_graph(tmp_path, lambda graph: None, batch=64)
    monkeypatch.setattr("wn_export.parity.conditioner_graph.available_bytes", lambda: 1000)
    with pytest.raises(WavestepError, match=r"for 64 streams, .* export the model with a "):
        compare_conditioners(package, REFERENCE)
