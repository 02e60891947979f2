"""On this machine's GPU every engine that is here is the model."""

from __future__ import annotations

import numpy as np
import pytest

from tests.contract import verify_engine_contract
from tests.gpu.plans import built
from tests.model_dir import write_model
from tests.specs import CORNERS, random_bias, random_weights
from wn_runtime.engines.engine import EngineUnavailable, open_engine
from wn_runtime.engines.tensorrt import plan_record
from wn_runtime.model import manifest as manifests
from wn_runtime.synthesis.sampling import Uniforms

TOLERANCE = {"fp32": 1e-4, "fp16": 2e-2}


def opened(*arguments, **settings):
    """The engine, or a skip that says why it is not here."""
    try:
        return open_engine(*arguments, **settings)
    except EngineUnavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(("corner", "batch"), [("uneven", 1), ("kernel_3", 3), ("plain", 8)])
def test_a_plan_obeys_the_contract(tmp_path, flavour, corner, batch, precision):
    spec = CORNERS[corner]
    plan = built(tmp_path, spec, flavour, precision, batch)
    engine = open_engine(plan, batch=batch)
    assert engine.note.endswith("CUDA graphs"), engine.note
    verify_engine_contract(engine, random_weights(spec), TOLERANCE[precision])
    engine.close()


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_chunked_plan_obeys_the_contract(tmp_path, flavour, precision):
    spec = CORNERS["kernel_3"]
    engine = open_engine(built(tmp_path, spec, flavour, precision, 2, steps=8), batch=2)
    verify_engine_contract(engine, random_weights(spec), TOLERANCE[precision])
    engine.close()


def test_the_record_is_of_this_machine_and_half_where_asked(tmp_path, flavour, gpu):
    plan = built(tmp_path, CORNERS["kernel_3"], flavour, "fp16")
    record = plan_record.read(tmp_path, manifests.read(plan.parent).artifacts[-1])
    assert (record.gpu, record.compute_capability) == (gpu.name, gpu.compute_capability)
    assert list(record.products) == ["fp16"]
    assert record.layers
    assert record.working_bytes is not None


def test_rebuild_makes_it_anew(tmp_path, flavour):
    plan = built(tmp_path, CORNERS["plain"], flavour, "fp16")
    plan.write_bytes(plan.read_bytes()[:100])
    plan_record.rebuild(tmp_path)
    open_engine(plan).close()


def test_a_version_compatible_plan_runs_with_the_runtime_it_brings(tmp_path, flavour):
    if flavour == "tensorrt_rtx":
        pytest.skip("TensorRT-RTX's wheel has no lean runtime to put into a plan")
    spec = CORNERS["plain"]
    engine = open_engine(built(tmp_path, spec, flavour, "fp16", compatible=True))
    verify_engine_contract(engine, random_weights(spec), TOLERANCE["fp16"])
    engine.close()


def test_without_graphs_the_samples_are_the_same(tmp_path, flavour, monkeypatch):
    spec = CORNERS["one_condition"]
    plan = built(tmp_path, spec, flavour, "fp32")
    bias, uniforms = random_bias(spec, 1), Uniforms(1, 1).draw(300)
    engine = open_engine(plan)
    captured = engine.generate(bias, uniforms)
    engine.close()
    monkeypatch.setattr("wn_runtime.engines.tensorrt.backend.TensorRtBackend.capturable", False)
    engine = open_engine(plan)
    assert engine.note.endswith("enqueued call by call")
    assert np.array_equal(engine.generate(bias, uniforms), captured)
    engine.close()


@pytest.mark.parametrize("name", ["onnx-cuda", "onnx-cuda-loop"])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_onnx_runtime_on_the_gpu_obeys_the_contract(tmp_path, gpu, name, precision):
    spec = CORNERS["kernel_3"]
    directory = write_model(tmp_path, spec, (precision,), batch=2)
    engine = opened(directory, name, precision, batch=2)
    verify_engine_contract(engine, random_weights(spec), TOLERANCE[precision])
    engine.close()
