"""On this machine's GPU every engine that is here is the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.gpu.plans import built, opened
from tests.law.engines import verify_engine_contract
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, random_bias, random_weights
from wn_runtime.engines.choice import open_engine, open_in
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.tensorrt import plan_record
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import open_package
from wn_runtime.synthesis.uniforms import uniforms

TOLERANCE = {"fp32": 1e-4, "fp16": 2e-2}


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(("corner", "batch"), [("uneven", 1), ("kernel_3", 3), ("plain", 8)])
def test_a_plan_obeys_the_contract(
    tmp_path: Path, flavour: str, corner: str, batch: int, precision: str
) -> None:
    spec = CORNERS[corner]
    plan = built(tmp_path, spec, flavour, precision, batch)
    engine = open_engine(plan, batch=batch)
    assert engine.note.endswith("CUDA graphs"), engine.note
    verify_engine_contract(engine, random_weights(spec), TOLERANCE[precision])
    engine.close()


def test_the_record_is_of_this_machine_and_half_where_asked(
    tmp_path: Path, flavour: str, gpu: CudaDevice
) -> None:
    plan = built(tmp_path, CORNERS["kernel_3"], flavour, "fp16")
    record = plan_record.read(tmp_path, manifests.read(plan.parent).artifacts[-1])
    assert (record.gpu, record.compute_capability) == (gpu.name, gpu.compute_capability)
    assert list(record.products) == ["fp16"]
    assert record.layers
    assert record.working_bytes is not None


def test_a_version_compatible_plan_runs_with_the_runtime_it_brings(
    tmp_path: Path, flavour: str
) -> None:
    if flavour == "tensorrt_rtx":
        pytest.skip("TensorRT-RTX's wheel has no lean runtime to put into a plan")
    spec = CORNERS["plain"]
    engine = open_engine(built(tmp_path, spec, flavour, "fp16", compatible=True))
    verify_engine_contract(engine, random_weights(spec), TOLERANCE["fp16"])
    engine.close()


def test_without_graphs_the_samples_are_the_same(
    tmp_path: Path, flavour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = CORNERS["one_condition"]
    plan = built(tmp_path, spec, flavour, "fp32")
    bias, drawn_from = random_bias(spec, 1), uniforms(1, 1, 300)
    engine = open_engine(plan)
    captured = engine.generate(bias, drawn_from)
    engine.close()
    monkeypatch.setattr("wn_runtime.engines.tensorrt.backend.TensorRtBackend.capturable", False)
    engine = open_engine(plan)
    assert engine.note.endswith("enqueued call by call")
    assert np.array_equal(engine.generate(bias, drawn_from), captured)
    engine.close()


def test_engines_that_share_a_plan_do_not_disturb_each_other(tmp_path: Path, flavour: str) -> None:
    spec = CORNERS["one_condition"]
    package, _ = open_package(built(tmp_path, spec, flavour, "fp16").parent)
    one, other = (open_in(package, None, "tensorrt", "fp16") for _ in range(2))
    bias, drawn_from = random_bias(spec, 1), uniforms(1, 1, 300)
    first = one.generate(bias, drawn_from[:100])
    assert np.array_equal(other.generate(bias, drawn_from[:100]), first)
    second = one.generate(bias, drawn_from[100:])
    one.close()
    assert np.array_equal(other.generate(bias, drawn_from[100:]), second)
    other.close()


@pytest.mark.parametrize("name", ["onnx-cuda", "onnx-cuda-loop"])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_onnx_runtime_on_the_gpu_obeys_the_contract(
    tmp_path: Path, gpu: CudaDevice, name: str, precision: str
) -> None:
    spec = CORNERS["kernel_3"]
    directory = write_model(tmp_path, spec, (precision,), batch=2)
    engine = opened(directory, name, precision, batch=2)
    verify_engine_contract(engine, random_weights(spec), TOLERANCE[precision])
    engine.close()
