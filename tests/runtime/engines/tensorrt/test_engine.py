"""The device loop runs a plan as the model.

GPU, TensorRT and CUDA are stand-ins that compute for real (tests/cuda_on_cpu); the kernel is the
one that runs on a GPU.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cuda_on_cpu import tensorrt as trt
from tests.cuda_on_cpu.gpu import Gpu
from tests.cuda_on_cpu.plan_dir import PLAN, write_plan
from tests.law.engines import verify_engine_contract
from tests.models.specs import CORNERS, random_bias, random_samples, random_spec, random_weights
from wn_runtime.engines.choice import open_engine, open_in
from wn_runtime.model.package import open_package
from wn_runtime.synthesis.uniforms import uniforms

SPEC = CORNERS["one_condition"]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("corner", CORNERS)
def test_it_obeys_the_contract(
    tmp_path: Path, tensorrt: Any, gpu: Gpu, corner: str, batch: int
) -> None:
    spec = CORNERS[corner]
    engine = open_engine(write_plan(tmp_path, spec, batch=batch) / PLAN, batch=batch)
    assert (engine.name, engine.precision) == ("tensorrt", "fp32")
    verify_engine_contract(engine, random_weights(spec), steps=16)
    assert gpu.replays > 0
    engine.close()
    assert not gpu.reserved


@pytest.mark.parametrize("seed", range(4))
def test_it_obeys_the_contract_for_any_shape(tmp_path: Path, tensorrt: Any, seed: int) -> None:
    spec = random_spec(seed)
    engine = open_engine(write_plan(tmp_path, spec), "tensorrt")
    verify_engine_contract(engine, random_weights(spec), steps=16)


def test_half_precision_obeys_the_law(tmp_path: Path, tensorrt: Any) -> None:
    spec = CORNERS["kernel_3"]
    engine = open_engine(write_plan(tmp_path, spec, "fp16", 2) / PLAN, batch=2)
    assert engine.precision == "fp16"
    verify_engine_contract(engine, random_weights(spec), tolerance=2e-2, steps=16)


def test_streams_that_do_not_fill_the_plan_run_all_the_same(tmp_path: Path, tensorrt: Any) -> None:
    engine = open_engine(write_plan(tmp_path, CORNERS["uneven"], batch=4) / PLAN, batch=3)
    verify_engine_contract(engine, random_weights(CORNERS["uneven"]), steps=16)


def test_a_block_longer_than_its_memory_goes_in_pieces(
    tmp_path: Path, tensorrt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of bias that are held for 8 samples begin and end inside pieces of 5."""
    for limit in ("_MOST_ROWS", "_LEAST_ROWS"):
        monkeypatch.setattr(f"wn_runtime.engines.device_loop.memory.{limit}", 5)
    engine = open_engine(write_plan(tmp_path, SPEC, batch=2) / PLAN, batch=2)
    verify_engine_contract(engine, random_weights(SPEC), steps=48)


def test_it_draws_the_samples_of_the_onnx_engine(tmp_path: Path, tensorrt: Any) -> None:
    """Long enough for every captured graph."""
    spec = CORNERS["two_conditions"]
    directory = write_plan(tmp_path, spec, batch=2)
    bias, drawn_from = random_bias(spec, 2, 40), uniforms(3, 2, 200)
    plan, onnx = (
        open_engine(directory, name, batch=2).generate(bias, drawn_from, [0.9, 0.5])
        for name in ("tensorrt", "onnx")
    )
    assert np.array_equal(plan, onnx)


def test_a_stream_goes_on_from_the_onnx_engine(tmp_path: Path, tensorrt: Any) -> None:
    directory = write_plan(tmp_path, SPEC)
    begun, plan = open_engine(directory, "onnx"), open_engine(directory, "tensorrt")
    samples, bias = random_samples(SPEC, 30, 1), random_bias(SPEC, 1)
    begun.score(samples, bias)
    plan.restore(begun.snapshot())
    assert np.allclose(plan.score(samples, bias), begun.score(samples, bias), atol=1e-5)


def test_engines_of_one_package_share_one_loaded_plan(
    tmp_path: Path, tensorrt: Any, gpu: Gpu
) -> None:
    package, _ = open_package(write_plan(tmp_path, SPEC))
    one, other = (open_in(package, None, "tensorrt") for _ in range(2))
    assert tensorrt.loaded == 1
    bias, drawn_from = random_bias(SPEC, 1), uniforms(1, 1, 20)
    first = one.generate(bias, drawn_from[:10])
    assert np.array_equal(other.generate(bias, drawn_from[:10]), first)  # a state of its own
    second = one.generate(bias, drawn_from[10:])
    one.close()
    assert np.array_equal(other.generate(bias, drawn_from[10:]), second)  # and memory
    other.close()
    assert not gpu.blocks


def test_the_note_says_how_it_runs(tmp_path: Path, tensorrt: Any) -> None:
    engine = open_engine(write_plan(tmp_path, SPEC) / PLAN)
    assert engine.note == "Test GPU, TensorRT 10.3.0, CUDA graphs"


@pytest.mark.parametrize("fault", ["tensorrt", "cuda"])
def test_where_capture_fails_it_enqueues_call_by_call_and_says_so(
    tmp_path: Path, tensorrt: Any, gpu: Gpu, fault: str
) -> None:
    (tensorrt if fault == "tensorrt" else gpu).fail_capture = True
    engine = open_engine(write_plan(tmp_path, SPEC) / PLAN)
    assert "enqueued call by call: CUDA graph capture failed (" in engine.note
    verify_engine_contract(engine, random_weights(SPEC), steps=16)
    assert gpu.replays == 0


def test_it_is_opened_in_one_thread_used_in_others_and_closed_in_another(
    tmp_path: Path, tensorrt: Any, gpu: Gpu
) -> None:
    """As a server has it: CUDA knows a current context of each thread."""
    directory = write_plan(tmp_path, SPEC)
    engine, same = (open_engine(directory / PLAN) for _ in range(2))
    bias, drawn_from = random_bias(SPEC, 1), uniforms(1, 1, 130)
    expected = same.generate(bias, drawn_from)
    state = engine.snapshot()
    for _ in range(2):
        with ThreadPoolExecutor(1) as thread:
            samples = thread.submit(engine.generate, bias, drawn_from).result()
            thread.submit(engine.restore, state).result()
        assert np.array_equal(samples, expected)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(engine.close).result()
    same.close()
    assert not gpu.reserved


def test_rtx_plans_run_in_tensorrt_rtx(
    tmp_path: Path, gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    trt.install(monkeypatch, gpu, "1.7.1.116", "tensorrt_rtx")
    directory = write_plan(tmp_path, SPEC, flavour="tensorrt_rtx", version="1.7.1.116")
    engine = open_engine(directory / PLAN)
    assert engine.note == "Test GPU, TensorRT-RTX 1.7.1.116, CUDA graphs"
    verify_engine_contract(engine, random_weights(SPEC), steps=16)
    engine.close()
    assert not gpu.reserved  # its contexts' memory too, which is ours


def test_rtx_is_not_captured_where_a_plan_allocates_while_it_runs(
    tmp_path: Path, gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    trt.install(monkeypatch, gpu, "1.7.1.116", "tensorrt_rtx")
    directory = write_plan(
        tmp_path, SPEC, user_allocation=False, flavour="tensorrt_rtx", version="1.7.1.116"
    )
    engine = open_engine(directory / PLAN)
    assert engine.note == "Test GPU, TensorRT-RTX 1.7.1.116, enqueued call by call"
    verify_engine_contract(engine, random_weights(SPEC), steps=16)
    assert gpu.replays == 0
