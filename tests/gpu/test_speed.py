"""How fast each engine is on this machine. Figures, not thresholds: they go to bench/results/."""

from __future__ import annotations

import time

import pytest

from tests.gpu.plans import built
from tests.gpu.test_engines import opened
from tests.model_dir import write_model
from wn_runtime.engines.engine import Engine, open_engine
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.sampling import Uniforms

_STACK = tuple(2**i for i in range(10))
SPECS = {
    "L20R32S128": ModelSpec(16000, _STACK * 2, residual=32, gate=64, skip=128),
    "L20R64S128": ModelSpec(16000, _STACK * 2, residual=64, gate=128, skip=128),
    "L30R64S256": ModelSpec(16000, _STACK * 3, residual=64, gate=128, skip=256),
}
STEPS, REPEATS = 1024, 5


def measured(engine: Engine) -> float:
    """Samples a second of each stream: the best of several blocks, the first left out."""
    uniforms = Uniforms(0, engine.batch).draw(STEPS)
    engine.generate(None, uniforms)
    best = 0.0
    for _ in range(REPEATS):
        started = time.perf_counter()
        engine.generate(None, uniforms)
        best = max(best, STEPS / (time.perf_counter() - started))
    return best


def row(engine: Engine, name: str, steps: int = 1) -> dict[str, object]:
    rate = measured(engine)
    return {
        "what": "speed", "model": name, "engine": engine.name, "precision": engine.precision,
        "streams": engine.batch, "steps_per_call": steps, "samples_per_second": round(rate),
        "real_time_factor": round(rate / engine.spec.sample_rate, 3), "note": engine.note,
    }  # fmt: skip


@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("name", SPECS)
def test_plans(tmp_path, flavour, figures, name, precision, batch):
    engine = open_engine(built(tmp_path, SPECS[name], flavour, precision, batch), batch=batch)
    figures.append(row(engine, name))
    assert figures[-1]["samples_per_second"]
    engine.close()


@pytest.mark.parametrize("steps", [2, 4])
def test_chunked_plans(tmp_path, flavour, figures, steps):
    plan = built(tmp_path, SPECS["L20R64S128"], flavour, "fp16", 1, steps)
    engine = open_engine(plan)
    figures.append(row(engine, "L20R64S128", steps))
    engine.close()


@pytest.mark.parametrize("name", ["onnx-cuda", "onnx-cuda-loop"])
def test_onnx_runtime(tmp_path, gpu, figures, name):
    engine = opened(write_model(tmp_path, SPECS["L20R64S128"]), name)
    figures.append(row(engine, "L20R64S128"))
    engine.close()
