"""What stands in a plan's way, before and while it runs, is told in one line with its remedy."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cuda_on_cpu import tensorrt as trt
from tests.cuda_on_cpu.gpu import Gpu
from tests.cuda_on_cpu.plan_dir import PLAN, write_plan
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, random_bias, random_samples
from wn_runtime import extras
from wn_runtime.engines import registry, trust
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.onnx.kind import ONNX
from wn_runtime.engines.tensorrt.kind import TENSORRT
from wn_runtime.engines.trust import Untrusted
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model import manifest as manifests
from wn_runtime.synthesis.uniforms import uniforms

SPEC = CORNERS["one_condition"]


def test_a_lost_device_is_one_line_and_every_call_after_it_too(
    tmp_path: Path, tensorrt: Any, gpu: Gpu
) -> None:
    engine = open_engine(write_plan(tmp_path, SPEC) / PLAN)
    bias, drawn_from = random_bias(SPEC, 1), uniforms(0, 1, 8)
    gpu.lose()
    for call in (
        lambda: engine.generate(bias, drawn_from),
        lambda: engine.snapshot(),
        lambda: engine.score(random_samples(SPEC, 4, 1), bias),
    ):
        with pytest.raises(WavestepError, match=r"GPU .* failed while .*: open the engine again"):
            call()
    engine.close()


def test_a_plan_that_fails_while_it_runs_is_one_line(
    tmp_path: Path, tensorrt: Any, gpu: Gpu
) -> None:
    gpu.fail_capture = True
    engine = open_engine(write_plan(tmp_path, SPEC) / PLAN)
    tensorrt.fail_execute = True
    with pytest.raises(WavestepError, match=r"failed to run the plan: .*enqueueV3"):
        engine.generate(random_bias(SPEC, 1), uniforms(0, 1, 8))


def test_memory_that_runs_out_is_one_line_and_nothing_stays_behind(
    tmp_path: Path, tensorrt: Any, gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the estimate was wrong."""
    directory = write_plan(tmp_path, SPEC, working_bytes=None)
    gpu.memory = 40_000
    monkeypatch.setattr("wn_runtime.engines.tensorrt.open.bytes_needed", lambda *_: 0)
    with pytest.raises(WavestepError, match=r"has no [\d.,]+ (MiB|bytes) left .*OUT_OF_MEMORY"):
        open_engine(directory / PLAN)
    assert not gpu.blocks


def test_too_small_a_gpu_is_said_before_anything_is_loaded(
    tmp_path: Path, tensorrt: Any, gpu: Gpu
) -> None:
    directory = write_plan(tmp_path, SPEC, working_bytes=2**33)
    with pytest.raises(EngineUnavailable, match=r"needs 1638\d MiB of GPU memory, Test GPU has"):
        open_engine(directory / PLAN)
    assert tensorrt.loaded == 0


def test_a_kernel_that_the_gpu_refuses_makes_the_engine_unavailable(
    tmp_path: Path, tensorrt: Any, gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next engine is taken, and the reason said; named, it is an error."""
    fastest = dataclasses.replace(TENSORRT, expected_us=lambda *_: 0.0)
    monkeypatch.setattr(registry, "ENGINES", {"tensorrt": fastest, "onnx": ONNX})
    directory, said = write_plan(tmp_path, SPEC), list[str]()
    gpu.refusals = 99
    assert open_engine(directory, say=said.append).name == "onnx"
    assert [line.split(" (")[0] for line in said] == ["tensorrt: the GPU"]
    assert "CUDA_ERROR_NO_BINARY_FOR_GPU" in said[0]
    assert not gpu.blocks
    with pytest.raises(EngineUnavailable, match="though just compiled"):
        open_engine(directory, "tensorrt")


def test_more_streams_than_the_plan_has_are_said(tmp_path: Path, tensorrt: Any) -> None:
    with pytest.raises(WavestepError, match=r"built for 1 stream, 2 are wanted; .*--batch 2"):
        open_engine(write_plan(tmp_path, SPEC) / PLAN, batch=2)


def test_a_plan_of_another_model_is_told_by_its_tensors(tmp_path: Path, tensorrt: Any) -> None:
    directory = write_plan(tmp_path, SPEC)
    manifest = manifests.read(directory)
    spec = dataclasses.replace(SPEC, output=Softmax(17))
    manifests.write(directory, dataclasses.replace(manifest, spec=spec))
    with pytest.raises(
        WavestepError,
        match=r"plan: output params is float32 \(1, 16\), .* has float32 \(1, 17\); export",
    ):
        open_engine(directory / PLAN)


def test_a_plan_that_tensorrt_refuses_is_told_with_its_reason(
    tmp_path: Path, tensorrt: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    directory = write_plan(tmp_path, SPEC)
    (directory / PLAN).write_bytes(b"something else entirely")
    manifest = manifests.with_file(manifests.read(directory), directory / PLAN)
    manifests.write(directory, manifest)
    with pytest.raises(
        Untrusted, match=r"engine\.plan is code, and nobody here has said to trust it"
    ):
        open_engine(directory / PLAN)
    trust.add({manifest.files[PLAN].sha256: "not even a plan"})
    with pytest.raises(
        WavestepError, match=r"cannot load engine.plan \(.*magicTag.*build it anew with wn-export"
    ):
        open_engine(directory / PLAN)
    assert capfd.readouterr() == ("", "")  # TensorRT has not printed its own


def test_without_a_gpu_it_says_so(tmp_path: Path, tensorrt: Any, gpu: Gpu) -> None:
    gpu.lost = "CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected"
    with pytest.raises(EngineUnavailable, match="no NVIDIA GPU can be used here"):
        open_engine(write_plan(tmp_path, SPEC) / PLAN)


def test_without_tensorrt_it_says_how_to_get_it(
    tmp_path: Path, gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "wn_runtime.engines.tensorrt.module"
    monkeypatch.setattr(f"{module}.FLAVOURS", {"tensorrt": ("no_such_module",)})
    monkeypatch.setattr(extras, "gpu_possible", lambda _read: True)
    with pytest.raises(EngineUnavailable, match=r"not installed; .*pip install .*\[tensorrt.*\]'$"):
        open_engine(write_plan(tmp_path, SPEC) / PLAN)
    monkeypatch.setattr(extras, "gpu_possible", lambda _read: False)
    with pytest.raises(EngineUnavailable, match="none is in this machine: take another engine"):
        open_engine(tmp_path / PLAN)


def test_a_tensorrt_before_10_3_is_too_old(
    tmp_path: Path, gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    trt.install(monkeypatch, gpu, "8.6.1")
    with pytest.raises(EngineUnavailable, match=r"TensorRT 8.6.1 is too old; .* 10.3 or newer"):
        open_engine(write_plan(tmp_path, SPEC, version="8.6.1") / PLAN)
    monkeypatch.setattr(extras, "jetpack", lambda _read: 6)
    with pytest.raises(EngineUnavailable, match=r"flash JetPack 6.1 or newer"):
        open_engine(tmp_path / PLAN)


def test_without_cuda_core_it_says_what_to_install(
    tmp_path: Path, tensorrt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cuda.core", None)
    monkeypatch.setattr(extras, "gpu_possible", lambda: True)
    with pytest.raises(EngineUnavailable, match=r"cuda-core cannot be imported.*pip install"):
        open_engine(write_plan(tmp_path, SPEC) / PLAN)
    monkeypatch.setattr(extras, "gpu_possible", lambda: False)
    with pytest.raises(EngineUnavailable, match=r"none is in this machine\); take another"):
        open_engine(tmp_path / PLAN)


def test_where_none_can_be_built_either_it_says_that_there_is_no_gpu(
    tmp_path: Path, tensorrt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cuda.core", None)
    monkeypatch.setattr(extras, "gpu_possible", lambda: False)
    for engine in ("tensorrt", "cuda"):
        with pytest.raises(EngineUnavailable, match=r"none is in this machine\); take another"):
            open_engine(write_model(tmp_path, SPEC), engine)


def test_a_directory_without_a_plan_says_how_to_build_one(tmp_path: Path, tensorrt: Any) -> None:
    with pytest.raises(
        EngineUnavailable,
        match=r"has no fp16 engine\.plan .*; build it on this machine with wn-export .* --fp16",
    ):
        open_engine(write_model(tmp_path, SPEC), "tensorrt")
