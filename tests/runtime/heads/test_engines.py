"""Every head's draw in C and CUDA is the one in NumPy: held by the engines' contract."""

from __future__ import annotations

from pathlib import Path

import pytest

import wn_runtime
from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu import tensorrt
from tests.cuda_on_cpu.plan_dir import PLAN, write_plan
from tests.law.engines import verify_engine_contract
from tests.models.specs import random_weights, small_spec
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import Head
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.softmax import Softmax

OTHERS: list[Head] = [
    Softmax(300, "linear"),
    Logistic(1),
    Logistic(10),
    Gaussian(),
    Gaussian(3),
]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize("head", OTHERS, ids=repr)
def test_the_native_engine_draws_as_the_head_does(head: Head, precision: str) -> None:
    spec = small_spec(output=head, input_kernel=2)
    weights = random_weights(spec)
    tolerance = {"fp32": 1e-5, "bf16": 2e-2, "int8": 5e-2}[precision]
    verify_engine_contract(NativeEngine(spec, weights, precision, 3), weights, tolerance)


@pytest.mark.parametrize("head", OTHERS, ids=repr)
def test_so_does_the_device_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: Head
) -> None:
    gpu = cuda.install(monkeypatch, cuda.Gpu())
    tensorrt.install(monkeypatch, gpu)
    spec = small_spec(output=head, input_kernel=2)
    engine = wn_runtime.open_engine(write_plan(tmp_path, spec, "fp32", 2) / PLAN, batch=2)
    verify_engine_contract(engine, random_weights(spec), 1e-5, steps=32)
    engine.close()
