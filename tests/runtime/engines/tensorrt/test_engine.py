"""The device loop runs a plan as the model, and tells what stands in its way in one line.

GPU, TensorRT and CUDA are stand-ins that compute for real (tests/cuda_on_cpu); the kernel is the
one that runs on a GPU.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest

from tests.contract import verify_engine_contract
from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu import tensorrt as trt
from tests.cuda_on_cpu.plan_dir import PLAN, write_plan
from tests.model_dir import write_model
from tests.specs import CORNERS, random_bias, random_samples, random_spec, random_weights
from wn_runtime.engines.device_loop import loop as device_loop
from wn_runtime.engines.device_loop.onnx_backend import OnnxRuntimeBackend
from wn_runtime.engines.engine import EngineUnavailable, open_engine
from wn_runtime.engines.tensorrt import engine as engine_trt
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.synthesis.sampling import Uniforms

SPEC = CORNERS["one_condition"]


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    """A GPU, and a check that an engine left nothing in its memory or beside it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    machine = cuda.install(monkeypatch, cuda.Gpu())
    yield machine
    machine.check_guards()


@pytest.fixture
def tensorrt(monkeypatch, gpu):
    return trt.install(monkeypatch, gpu)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("corner", CORNERS)
def test_it_obeys_the_contract(tmp_path, tensorrt, gpu, corner, batch):
    spec = CORNERS[corner]
    engine = open_engine(write_plan(tmp_path, spec, batch=batch) / PLAN, batch=batch)
    assert (engine.name, engine.precision) == ("tensorrt", "fp32")
    verify_engine_contract(engine, random_weights(spec), steps=24)
    assert gpu.replays > 0
    engine.close()
    assert not gpu.blocks


@pytest.mark.parametrize("seed", range(4))
def test_it_obeys_the_contract_for_any_shape(tmp_path, tensorrt, seed):
    spec = random_spec(seed)
    engine = open_engine(write_plan(tmp_path, spec), "tensorrt")
    verify_engine_contract(engine, random_weights(spec), steps=24)


def test_half_precision_obeys_the_law(tmp_path, tensorrt):
    spec = CORNERS["kernel_3"]
    engine = open_engine(write_plan(tmp_path, spec, "fp16", 2) / PLAN, batch=2)
    assert engine.precision == "fp16"
    verify_engine_contract(engine, random_weights(spec), tolerance=2e-2, steps=24)


@pytest.mark.parametrize("steps", [2, 5, 8])
@pytest.mark.parametrize("corner", ["uneven", "kernel_3", "input_kernel_2"])
def test_a_plan_of_several_steps_a_call_obeys_it_too(tmp_path, tensorrt, corner, steps):
    spec = CORNERS[corner]
    engine = open_engine(write_plan(tmp_path, spec, batch=2, steps=steps) / PLAN, batch=2)
    verify_engine_contract(engine, random_weights(spec), steps=24)


def test_streams_that_do_not_fill_the_plan_run_all_the_same(tmp_path, tensorrt):
    engine = open_engine(write_plan(tmp_path, CORNERS["uneven"], batch=4) / PLAN, batch=3)
    verify_engine_contract(engine, random_weights(CORNERS["uneven"]))


def test_blocks_longer_than_its_memory_are_cut(tmp_path, tensorrt, monkeypatch):
    monkeypatch.setattr("wn_runtime.engines.device_loop.memory._MOST_ROWS", 16)
    engine = open_engine(write_plan(tmp_path, SPEC) / PLAN)
    verify_engine_contract(engine, random_weights(SPEC), steps=75)


def test_it_draws_the_samples_of_the_onnx_engine(tmp_path, tensorrt):
    spec = CORNERS["two_conditions"]
    directory = write_plan(tmp_path, spec, batch=2)
    bias, uniforms = random_bias(spec, 2, 200), Uniforms(3, 2).draw(200)
    drawn = [
        open_engine(directory, name, batch=2).generate(bias, uniforms, 0.9)
        for name in ("tensorrt", "onnx")
    ]
    assert np.array_equal(*drawn)


def test_a_stream_goes_on_from_the_onnx_engine(tmp_path, tensorrt):
    directory = write_plan(tmp_path, SPEC)
    begun, plan = open_engine(directory, "onnx"), open_engine(directory, "tensorrt")
    samples, bias = random_samples(SPEC, 30, 1), random_bias(SPEC, 1)
    begun.score(samples, bias)
    plan.restore(begun.snapshot())
    assert np.allclose(plan.score(samples, bias), begun.score(samples, bias), atol=1e-5)


def test_the_note_says_how_it_runs(tmp_path, tensorrt):
    engine = open_engine(write_plan(tmp_path, SPEC) / PLAN)
    assert engine.note == "Test GPU, TensorRT 10.3.0, CUDA graphs"


@pytest.mark.parametrize("fault", ["tensorrt", "cuda"])
def test_where_capture_fails_it_enqueues_call_by_call_and_says_so(tmp_path, tensorrt, gpu, fault):
    (tensorrt if fault == "tensorrt" else gpu).fail_capture = True
    engine = open_engine(write_plan(tmp_path, SPEC) / PLAN)
    assert "enqueued call by call: CUDA graph capture failed (" in engine.note
    verify_engine_contract(engine, random_weights(SPEC), steps=24)
    assert gpu.replays == 0


def test_rtx_plans_run_in_tensorrt_rtx(tmp_path, gpu, monkeypatch):
    trt.install(monkeypatch, gpu, "1.7.1.116", "tensorrt_rtx")
    directory = write_plan(tmp_path, SPEC, flavour="tensorrt_rtx", version="1.7.1.116")
    engine = open_engine(directory / PLAN)
    assert "TensorRT-RTX 1.7.1.116" in engine.note
    verify_engine_contract(engine, random_weights(SPEC), steps=24)


def test_onnx_runtime_runs_in_the_same_loop(tmp_path, gpu):
    """Bound to the very memory of the loop; on a GPU the provider is CUDA's (tests/gpu)."""
    spec = CORNERS["kernel_3"]
    directory = write_model(tmp_path, spec, batch=2)
    manifest = manifests.read(directory)
    graph = manifest.artifacts[0]
    on_gpu = engine_trt.CudaDevice()
    backend = OnnxRuntimeBackend(
        (directory / graph.file).read_bytes(), spec, graph, on_gpu.handle, "CPUExecutionProvider"
    )
    loop = device_loop.DeviceLoop("onnx-cuda-loop", on_gpu, backend, spec, "fp32", 2, 2)
    assert loop.note.endswith("enqueued call by call")
    verify_engine_contract(loop, random_weights(spec), steps=24)
    loop.close()


def test_onnx_runtime_without_cuda_is_said(tmp_path, gpu):
    directory = write_model(tmp_path, SPEC)
    with pytest.raises(EngineUnavailable, match="has no CUDAExecutionProvider; pip install"):
        open_engine(directory, "onnx-cuda-loop")


def test_the_kernel_is_compiled_once_and_kept(tmp_path, tensorrt, gpu):
    directory = write_plan(tmp_path, SPEC)
    for _ in range(2):
        open_engine(directory / PLAN).close()
    assert gpu.compiled == 1


def test_a_lost_device_is_one_line_and_every_call_after_it_too(tmp_path, tensorrt, gpu):
    engine = open_engine(write_plan(tmp_path, SPEC) / PLAN)
    bias, uniforms = random_bias(SPEC, 1), Uniforms(0, 1).draw(8)
    gpu.lose()
    for call in (
        lambda: engine.generate(bias, uniforms),
        engine.snapshot,
        lambda: engine.score(random_samples(SPEC, 4, 1), bias),
    ):
        with pytest.raises(WavestepError, match=r"GPU .* failed while .*: open the engine again"):
            call()
    engine.close()


def test_a_plan_that_fails_while_it_runs_is_one_line(tmp_path, tensorrt, gpu):
    gpu.fail_capture = True
    engine = open_engine(write_plan(tmp_path, SPEC) / PLAN)
    tensorrt.fail_execute = True
    with pytest.raises(WavestepError, match=r"failed to run the plan: .*enqueueV3"):
        engine.generate(random_bias(SPEC, 1), Uniforms(0, 1).draw(8))


def test_memory_that_runs_out_is_one_line_and_nothing_stays_behind(tmp_path, tensorrt, gpu):
    directory = write_plan(tmp_path, SPEC, working_bytes=None)
    gpu.memory = 40_000  # enough for the estimate's check to be passed by a wrong one
    tensorrt_engine = pytest.MonkeyPatch()
    tensorrt_engine.setattr(engine_trt, "bytes_needed", lambda *_: 0)
    with pytest.raises(WavestepError, match=r"has no [\d.]+ MiB left .*OUT_OF_MEMORY"):
        open_engine(directory / PLAN)
    tensorrt_engine.undo()
    assert not gpu.blocks


def test_too_small_a_gpu_is_said_before_anything_is_loaded(tmp_path, tensorrt, gpu):
    directory = write_plan(tmp_path, SPEC, working_bytes=2**33)
    with pytest.raises(EngineUnavailable, match=r"needs 1638\d MiB of GPU memory, Test GPU has"):
        open_engine(directory / PLAN)
    assert tensorrt.logger is None


def test_more_streams_than_the_plan_has_are_said(tmp_path, tensorrt):
    with pytest.raises(WavestepError, match=r"built for 1 stream, 2 are wanted; .*--batch 2"):
        open_engine(write_plan(tmp_path, SPEC) / PLAN, batch=2)


def test_a_plan_of_another_model_is_told_by_its_tensors(tmp_path, tensorrt):
    directory = write_plan(tmp_path, SPEC)
    manifest = manifests.read(directory)
    other = dataclasses.replace(manifest, spec=dataclasses.replace(SPEC, classes=17))
    manifests.write(directory, other)
    with pytest.raises(WavestepError, match=r"params is OUTPUT FLOAT \(1, 16\), this model has"):
        open_engine(directory / PLAN)


def test_a_plan_that_tensorrt_refuses_is_told_with_its_reason(tmp_path, tensorrt, capfd):
    directory = write_plan(tmp_path, SPEC)
    (directory / PLAN).write_bytes(b"something else entirely")
    manifest = manifests.read(directory)
    plan = manifest.artifacts[-1]
    record = manifests.record(directory / PLAN)
    manifests.write(directory, manifests.with_artifact(manifest, plan, record))
    with pytest.raises(WavestepError, match=r"cannot load engine.plan \(.*magicTag.*--rebuild"):
        open_engine(directory / PLAN)
    assert capfd.readouterr() == ("", "")  # TensorRT has not printed its own


def test_without_a_gpu_it_says_so(tmp_path, monkeypatch, gpu):
    trt.install(monkeypatch, gpu)
    gpu.lost = "CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected"
    with pytest.raises(EngineUnavailable, match="no NVIDIA GPU can be used here"):
        open_engine(write_plan(tmp_path, SPEC) / PLAN)


def test_without_tensorrt_it_says_how_to_get_it(tmp_path, gpu, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setattr(
        "wn_runtime.engines.tensorrt.module.FLAVOURS", {"tensorrt": ("no_such_module",)}
    )
    with pytest.raises(EngineUnavailable, match=r"pip install 'wavestep\[tensorrt\]' on a PC"):
        open_engine(write_plan(tmp_path, SPEC) / PLAN)
    monkeypatch.setattr("wn_runtime.engines.tensorrt.module.on_jetson", lambda: True)
    with pytest.raises(EngineUnavailable, match="sudo apt install nvidia-jetpack"):
        open_engine(tmp_path / PLAN)


def test_without_cuda_core_it_says_what_to_install(tmp_path, tensorrt, monkeypatch):
    monkeypatch.setitem(sys.modules, "cuda.core", None)
    with pytest.raises(EngineUnavailable, match=r"cuda-core cannot be imported.*pip install"):
        open_engine(write_plan(tmp_path, SPEC) / PLAN)


def test_a_directory_without_a_plan_says_how_to_build_one(tmp_path, tensorrt):
    with pytest.raises(EngineUnavailable, match=r"has no engine\.plan; build it on this"):
        open_engine(write_model(tmp_path, SPEC), "tensorrt")
