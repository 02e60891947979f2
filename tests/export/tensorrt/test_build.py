"""Every variant of the graphs parses and builds, strongly typed, with the real parser and builder.

TensorRT-RTX is TensorRT's sibling whose builder needs no GPU. What needs TensorRT's own is in
tests/gpu.
"""

from __future__ import annotations

import dataclasses
import json
import sys

import onnx
import pytest
from onnx import TensorProto, helper

from tests.cuda_on_cpu import device as cuda
from tests.model_dir import write_model
from tests.specs import PLAIN, SPEAKER, random_weights
from wn_export.graphs.chunk import build_chunk_graph
from wn_export.graphs.step import build_step_graph
from wn_export.tensorrt import build as build_trt
from wn_export.tensorrt import layers as trt_inspect
from wn_export.tensorrt.build import Builder, add_plan, choose_graph, find_builder
from wn_runtime.engines.device_loop.memory import graph_inputs, graph_outputs
from wn_runtime.engines.engine import EngineUnavailable
from wn_runtime.engines.tensorrt import module as trt_module
from wn_runtime.engines.tensorrt import plan_record
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests

SMALL = dataclasses.replace(PLAIN, dilations=(1, 8))
TYPES = {"fp32": "FLOAT", "fp16": "HALF"}
FIXED = {
    "sample": "INT32", "samples": "INT32", "forced": "INT32", "params": "FLOAT",
    "uniforms": "FLOAT", "inverse_temperature": "FLOAT",
}  # fmt: skip


@pytest.fixture(scope="module")
def rtx():
    pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT-RTX is not installed")
    pytest.importorskip("polygraphy", reason="Polygraphy is not installed")
    return find_builder("tensorrt_rtx", without_gpu=True)


@pytest.mark.parametrize("conditions", [(), (SPEAKER,)], ids=["plain", "conditions"])
@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("steps", [1, 8])
def test_every_variant_builds(tmp_path, rtx, steps, precision, kernel, batch, conditions):
    spec = dataclasses.replace(SMALL, kernel=kernel, conditions=conditions)
    weights = random_weights(spec)
    if steps == 1:
        graph = build_step_graph(spec, weights, precision, batch)
    else:
        graph = build_chunk_graph(spec, weights, steps, precision, batch)
    path = tmp_path / "graph.onnx"
    onnx.save(graph, path)
    plan = build_trt.build(path, rtx)
    assert len(plan.data) > 10_000

    def described(tensors):
        return {name: (FIXED.get(name, TYPES[precision]), tuple(s)) for name, s in tensors.items()}

    assert plan.inputs == described(graph_inputs(spec, batch, steps))
    assert plan.outputs == described(graph_outputs(spec, batch, steps))

    # All products of the network in the precision asked for, and each there once.
    per_step = spec.kernel * spec.layers * spec.residual * spec.gate
    per_step += (spec.layers - 1) * spec.gate // 2 * spec.residual
    per_step += spec.layers * spec.gate // 2 * spec.skip
    per_step += spec.skip * spec.head + spec.head * spec.classes
    products = plan.network.products
    assert list(products) == [precision]
    inside = products[precision] / (batch * steps)  # short dilations: some taps are there twice
    assert per_step <= inside <= per_step * (1.0 if steps == 1 else 1.5)

    types = plan.network.types
    control_flow = {"TRIP_LIMIT", "ITERATOR", "RECURRENCE", "LOOP_OUTPUT", "CONDITION", "PLUGIN_V3"}
    assert types.keys().isdisjoint(control_flow)
    assert types["ACTIVATION"] >= steps * (2 * spec.layers + 2)
    assert types.get("CAST", 0) <= (steps * 5 if steps > 1 else int(precision == "fp16"))


def test_a_plan_is_put_on_record(tmp_path, rtx):
    write_model(tmp_path, SMALL, ("fp32", "fp16"))
    manifest = manifests.read(tmp_path)
    manifest = add_plan(tmp_path, manifest, choose_graph(manifest, fp16=True), rtx)
    manifests.write(tmp_path, manifest)
    plan = manifests.read(tmp_path).artifacts[-1]
    assert (plan.file, plan.engine, plan.precision) == ("engine.plan", "tensorrt", "fp16")
    manifests.verify(tmp_path, manifest, "engine.plan")
    record = plan_record.check_files(tmp_path, manifest, plan)
    assert record.flavour == "tensorrt_rtx"
    assert record.version == rtx.trt.__version__
    assert (record.gpu, record.compute_capability, record.working_bytes) == (None, None, None)
    assert record.onnx == "step.fp16.onnx"
    assert record.onnx_sha256 == manifests.record(tmp_path / "step.fp16.onnx").sha256
    assert record.seconds > 0
    assert record.layers["MATRIX_MULTIPLY"] > 5
    assert list(record.products) == ["fp16"]
    left = {path.name for path in tmp_path.iterdir()}
    assert not [name for name in left if name.endswith((".part", ".lock"))]


def test_the_timing_cache_lies_beside_the_model_and_is_used_for_the_same_builder_only(
    tmp_path, rtx
):
    write_model(tmp_path, SMALL)
    manifest = manifests.read(tmp_path)
    graph = choose_graph(manifest, fp16=False)
    manifest = add_plan(tmp_path, manifest, graph, rtx)
    timing = tmp_path / build_trt.TIMING_CACHE
    assert timing.exists()
    timing.write_bytes(timing.read_bytes())
    add_plan(tmp_path, manifest, graph, rtx)  # read again, without a complaint
    timing.write_bytes(b"of another TensorRT")
    other = Builder(rtx.flavour, rtx.trt, "Another GPU", "9.9")
    assert not build_trt._same_builder(manifest, other)
    stranger = dataclasses.replace(manifest, artifacts=manifest.artifacts[:1])
    add_plan(tmp_path, stranger, graph, rtx)  # not trusted, so made anew
    assert timing.read_bytes() != b"of another TensorRT"


def test_fp16_with_large_products_in_float32_is_an_error(tmp_path, rtx):
    write_model(tmp_path, SMALL)
    manifest = manifests.read(tmp_path)
    lying = dataclasses.replace(manifest.artifacts[0], precision="fp16")
    with pytest.raises(WavestepError, match=r"fp16 was asked for, but .*step\.onnx 100% in fp32"):
        add_plan(tmp_path, manifest, lying, rtx)
    assert not (tmp_path / "engine.plan").exists()


@pytest.mark.parametrize(("wide", "raises"), [(0, False), (50, False), (2000, True)])
def test_small_float32_products_are_let_pass(wide, raises):
    layers = trt_inspect.Layers({}, {"fp16": 10_000, "fp32": wide})
    if raises:
        with pytest.raises(WavestepError, match="17% in fp32"):
            trt_inspect.require_half(layers, "it")
    else:
        trt_inspect.require_half(layers, "it")


@pytest.mark.parametrize(
    ("half", "single"),
    [("Half", "Float"), ("Row major linear FP16 format", "Row major linear FP32 format")],
)
def test_the_inspector_s_description_is_counted(half, single):
    def layer(name, kind, datatype):
        tensor = {"Name": "x", "Dimensions": [1, 8], "Format/Datatype": datatype}
        return {"Name": name, "LayerType": kind, "Inputs": [tensor], "Outputs": [tensor]}

    text = json.dumps(
        {
            "Layers": [
                layer("taps/product", "gemm", half), layer("head0", "gemm", single),
                layer("draw/step0/within", "gemm", single), layer("z", "PointWiseV2", half),
            ],
            "Bindings": ["sample"],
        }
    )  # fmt: skip
    found = trt_inspect.of_description(text)
    assert found.types == {"gemm": 3, "PointWiseV2": 1}
    assert found.products == {"fp16": 1, "fp32": 1}
    assert trt_inspect.of_description("not JSON").types == {}
    assert trt_inspect.of_description('{"Layers": ["a", "b"]}').types == {"unknown": 2}


def test_a_file_that_is_no_graph_is_one_line_with_the_parser_s_reason(tmp_path, rtx, capfd):
    (tmp_path / "graph.onnx").write_bytes(b"not a graph")
    with pytest.raises(WavestepError, match=r"TensorRT-RTX 1.* cannot build .*Failed to parse"):
        build_trt.build(tmp_path / "graph.onnx", rtx)
    out, err = capfd.readouterr()
    assert "[E]" not in out + err


def test_a_graph_the_builder_does_not_take_is_one_line_too(tmp_path, rtx):
    node = helper.make_node("Multinomial", ["x"], ["y"], sample_size=1)
    graph = helper.make_graph(
        [node], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [1, 1])],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]),
              tmp_path / "g.onnx")  # fmt: skip
    with pytest.raises(WavestepError, match=r"cannot build .*Multinomial"):
        build_trt.build(tmp_path / "g.onnx", rtx)


def test_a_failed_build_leaves_the_older_plan(tmp_path, rtx):
    write_model(tmp_path, SMALL)
    (tmp_path / "engine.plan").write_bytes(b"the older one")
    (tmp_path / "step.onnx").write_bytes(b"broken")
    manifest = manifests.read(tmp_path)
    files = {**manifest.files, "step.onnx": manifests.record(tmp_path / "step.onnx")}
    manifest = dataclasses.replace(manifest, files=files)
    with pytest.raises(WavestepError, match="cannot build"):
        add_plan(tmp_path, manifest, manifest.artifacts[0], rtx)
    assert (tmp_path / "engine.plan").read_bytes() == b"the older one"


def test_a_graph_changed_since_the_manifest_is_not_built(tmp_path, rtx):
    write_model(tmp_path, SMALL)
    with (tmp_path / "step.onnx").open("ab") as file:
        file.write(b" ")
    manifest = manifests.read(tmp_path)
    with pytest.raises(WavestepError, match="truncated or changed"):
        add_plan(tmp_path, manifest, manifest.artifacts[0], rtx)


def test_progress_goes_up_to_the_end(tmp_path, rtx, monkeypatch):
    seen = []

    class Watched(build_trt.BuildProgress):
        def step(self, name, step):
            going_on = super().step(name, step)
            seen.append(self.share)
            return going_on

    monkeypatch.setattr(build_trt, "BuildProgress", Watched)
    path = tmp_path / "graph.onnx"
    onnx.save(build_step_graph(SMALL, random_weights(SMALL)), path)
    build_trt.build(path, rtx)
    assert len(seen) > 5
    assert seen == sorted(seen)
    assert seen[-1] > 0.5


def test_ctrl_c_stops_a_build_as_ctrl_c(tmp_path, rtx, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(build_trt.BuildProgress, "_show", interrupted)
    path = tmp_path / "graph.onnx"
    onnx.save(build_step_graph(SMALL, random_weights(SMALL)), path)
    with pytest.raises(KeyboardInterrupt):
        build_trt.build(path, rtx)


def test_without_tensorrt_or_a_gpu_it_is_said(monkeypatch):
    monkeypatch.setattr(
        "wn_runtime.engines.tensorrt.module.FLAVOURS", {"tensorrt": ("no_such_module",)}
    )
    with pytest.raises(EngineUnavailable, match="TensorRT not found here; pip install"):
        find_builder()
    monkeypatch.undo()
    gpu = cuda.install(monkeypatch, cuda.Gpu())
    gpu.lost = "CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected"
    monkeypatch.setattr("wn_runtime.engines.tensorrt.module.load", lambda flavour: sys)
    monkeypatch.setattr("wn_runtime.engines.tensorrt.module.installed", lambda: "tensorrt")
    with pytest.raises(EngineUnavailable, match="no NVIDIA GPU can be used here"):
        find_builder()


def test_the_command_of_rebuild_answers_in_one_line(tmp_path, capsys):
    assert build_trt.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path} is not a model directory")
