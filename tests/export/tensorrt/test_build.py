"""Every variant of the graphs parses and builds, strongly typed, with the real parser and builder.

What needs TensorRT's own, and a GPU, is in tests/gpu.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import onnx
import pytest
from onnx import TensorProto, helper

from tests.cuda_on_cpu import device as cuda
from tests.models.specs import SPEAKER, random_weights, small_spec
from wn_export.graphs.step import build_step_graph
from wn_export.tensorrt import build as build_trt
from wn_export.tensorrt.build import Builder, find_builder
from wn_export.tensorrt.polygraphy import loaders
from wn_export.tensorrt.progress import BuildProgress
from wn_runtime import extras
from wn_runtime.conditioning.spec import Condition
from wn_runtime.engines.step_signature import StepSignature, Tensor
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model.work import Work

SMALL = small_spec((1, 8))
TYPES = {"float32": "FLOAT", "float16": "HALF", "int32": "INT32"}


def described(tensors: dict[str, Tensor]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """As TensorRT calls them."""
    return {name: (TYPES[t.dtype.name], t.shape) for name, t in tensors.items()}


@pytest.mark.parametrize("conditions", [(), (SPEAKER,)], ids=["plain", "conditions"])
@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_every_variant_builds(
    tmp_path: Path,
    rtx: Builder,
    precision: str,
    kernel: int,
    batch: int,
    conditions: Sequence[Condition],
) -> None:
    spec = small_spec((1, 8), kernel=kernel, residual_scale=0.5**0.5, conditions=conditions)
    path = tmp_path / "graph.onnx"
    onnx.save(build_step_graph(spec, random_weights(spec), precision, batch), path)
    plan = build_trt.build(path, rtx)
    assert len(plan.data) > 10_000
    signature = StepSignature.of(spec, precision, batch)
    assert plan.inputs == described(signature.inputs)
    assert plan.outputs == described(signature.outputs)

    # All products of the network in the precision asked for, and each there once; the input's is
    # a look-up.
    products = Work.of(spec).macs - spec.input_kernel * spec.residual_channels
    assert plan.network.products == {precision: batch * products}
    types = plan.network.types
    control_flow = {"TRIP_LIMIT", "ITERATOR", "RECURRENCE", "LOOP_OUTPUT", "CONDITION", "PLUGIN_V3"}
    assert types.keys().isdisjoint(control_flow)
    assert types["ACTIVATION"] == 2 * spec.layers + 2
    assert types.get("CAST", 0) == int(precision == "fp16")


def test_a_plan_is_of_one_stream_and_allocates_nothing_while_it_runs(
    tmp_path: Path, rtx: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a CUDA graph of many steps wants it; seen in the real builder's configuration."""
    polygraphy = loaders(rtx.trt, rtx.flavour)
    real, seen = polygraphy.engine_bytes_from_network, list[Any]()

    def spy(network: Any, config: Any, **others: Any) -> Any:
        flag = cast(Any, rtx.trt).BuilderFlag.REQUIRE_USER_ALLOCATION
        made = config(network[0], network[1])
        seen.extend([made.max_aux_streams, made.get_flag(flag)])
        return real(network, config=config, **others)

    monkeypatch.setattr(polygraphy, "engine_bytes_from_network", spy)
    build_trt.build(step_graph(tmp_path), rtx)
    assert seen == [0, True]


def test_tensorrt_itself_has_no_such_flag_and_is_not_told(rtx: Builder) -> None:
    """Its module is TensorRT-RTX's here, as TensorRT's cannot build without a GPU."""

    def create(trt_builder: Any, _: Any) -> Any:
        return trt_builder.create_builder_config()

    builder = cast(Any, rtx.trt).Builder(cast(Any, rtx.trt).Logger())
    network = builder.create_network(0)
    flag = cast(Any, rtx.trt).BuilderFlag.REQUIRE_USER_ALLOCATION
    for flavour, wanted in (("tensorrt", False), ("tensorrt_rtx", True)):
        its = dataclasses.replace(rtx, flavour=flavour)
        configured: Any = build_trt._configuration(its, create)(builder, network)
        assert configured.get_flag(flag) == wanted


def test_a_file_that_is_no_graph_is_one_line_with_the_parsers_reason(
    tmp_path: Path, rtx: Builder, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "graph.onnx").write_bytes(b"not a graph")
    with pytest.raises(WavestepError, match=r"TensorRT-RTX 1.* cannot build .*Failed to parse"):
        build_trt.build(tmp_path / "graph.onnx", rtx)
    out, err = capfd.readouterr()
    assert "[E]" not in out + err


def test_a_graph_the_builder_does_not_take_is_one_line_too(tmp_path: Path, rtx: Builder) -> None:
    node = helper.make_node("Multinomial", ["x"], ["y"], sample_size=1)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    y = helper.make_tensor_value_info("y", TensorProto.INT32, [1, 1])
    graph = helper.make_graph([node], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, tmp_path / "g.onnx")
    with pytest.raises(WavestepError, match=r"cannot build .*Multinomial"):
        build_trt.build(tmp_path / "g.onnx", rtx)


def step_graph(folder: Path) -> Path:
    path = folder / "graph.onnx"
    onnx.save(build_step_graph(SMALL, random_weights(SMALL)), path)
    return path


def test_progress_goes_up_to_the_end(
    tmp_path: Path, rtx: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    class Watched(BuildProgress):
        def step(self, name: str, step: int) -> bool:
            going_on = super().step(name, step)
            seen.append(self.share)
            return going_on

    monkeypatch.setattr(build_trt, "BuildProgress", Watched)
    build_trt.build(step_graph(tmp_path), rtx)
    assert len(seen) > 5
    assert seen == sorted(seen)
    assert seen[-1] > 0.5


def test_ctrl_c_stops_a_build_as_ctrl_c(
    tmp_path: Path, rtx: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(BuildProgress, "_show", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build_trt.build(step_graph(tmp_path), rtx)


def test_without_tensorrt_or_a_gpu_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "wn_runtime.engines.tensorrt.module"
    monkeypatch.setattr(f"{module}.FLAVOURS", {"tensorrt": ("no_such_module",)})
    monkeypatch.setattr(extras, "gpu_possible", lambda _read: True)
    with pytest.raises(
        EngineUnavailable, match=r"TensorRT not found here; .*pip install .*\[tensorrt\]"
    ):
        find_builder()
    monkeypatch.undo()
    gpu = cuda.install(monkeypatch, cuda.Gpu())
    gpu.lost = "CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected"
    monkeypatch.setattr(f"{module}.load", lambda flavour: sys)
    monkeypatch.setattr(f"{module}.installed", lambda: "tensorrt")
    with pytest.raises(EngineUnavailable, match="no NVIDIA GPU can be used here"):
        find_builder()
