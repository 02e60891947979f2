"""How fast each engine is on this machine. Figures, not thresholds: they go to bench/results/."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.gpu.conftest import Figures
from tests.gpu.plans import built, opened
from tests.models.model_dir import write_model
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.engine import Engine
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.uniforms import uniforms

_STACK = tuple(2**i for i in range(10))


def _spec(stacks: int, residual: int, skip: int) -> ModelSpec:
    return ModelSpec(
        16000,
        _STACK * stacks,
        residual_channels=residual,
        gate_channels=2 * residual,
        skip_channels=skip,
    )


SPECS = {
    "L20R32S128": _spec(2, 32, 128),
    "L20R64S128": _spec(2, 64, 128),
    "L30R64S256": _spec(3, 64, 256),
}
STEPS, REPEATS = 1024, 5


@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("name", SPECS)
def test_plans(
    tmp_path: Path, flavour: str, figures: Figures, name: str, precision: str, batch: int
) -> None:
    engine = open_engine(built(tmp_path, SPECS[name], flavour, precision, batch), batch=batch)
    figures.append(row(engine, name))
    assert figures[-1]["samples_per_second"]
    engine.close()


@pytest.mark.parametrize("name", ["onnx-cuda", "onnx-cuda-loop"])
def test_onnx_runtime(tmp_path: Path, gpu: CudaDevice, figures: Figures, name: str) -> None:
    engine = opened(write_model(tmp_path, SPECS["L20R64S128"]), name, "fp32")
    figures.append(row(engine, "L20R64S128"))
    assert figures[-1]["samples_per_second"]
    engine.close()


def row(engine: Engine, name: str) -> dict[str, object]:
    """Samples a second of each stream: the best of several blocks, the first left out."""
    drawn_from = uniforms(0, engine.batch, STEPS)
    engine.generate(None, drawn_from)
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        engine.generate(None, drawn_from)
        seconds.append(time.perf_counter() - started)
    rate = STEPS / min(seconds)
    return {
        "what": "speed",
        "model": name,
        "engine": engine.name,
        "precision": engine.precision,
        "streams": engine.batch,
        "samples_per_second": round(rate),
        "real_time_factor": round(rate / engine.spec.sample_rate, 3),
        "note": engine.note,
    }
