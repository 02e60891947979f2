"""On this machine's GPU TensorRT builds and runs plans with the cuda engine's kernel in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.gpu.conftest import Figures
from tests.gpu.plans import fused
from tests.gpu.test_speed import SPECS, row
from tests.law.engines import verify_engine_contract
from tests.models.specs import CORNERS, random_bias, random_uniforms, random_weights
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.cuda.choose import VARIABLE
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.tensorrt import module as trt_module
from wn_runtime.engines.tensorrt.fused.record import CHUNK
from wn_runtime.engines.tensorrt.fused.streams import PlanStreams
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model import manifest as manifests

SPEC = CORNERS["one_condition"]


@pytest.fixture(autouse=True)
def tensorrt(gpu: CudaDevice) -> Any:
    """TensorRT, or a skip that says how to get it."""
    try:
        return trt_module.load(trt_module.TENSORRT)
    except EngineUnavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(("corner", "batch"), [("uneven", 1), ("kernel_3", 3), ("plain", 8)])
def test_it_obeys_the_contract(tmp_path: Path, corner: str, batch: int) -> None:
    spec = CORNERS[corner]
    engine = open_engine(fused(tmp_path, spec, batch), batch=batch)
    verify_engine_contract(engine, random_weights(spec), tolerance=2e-2)
    engine.close()


@pytest.mark.parametrize("batch", [1, 20])
def test_it_is_the_cuda_engine_sample_for_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    directory = fused(tmp_path, SPEC, batch).parent
    built = manifests.read(directory).artifacts[-1].built
    monkeypatch.setenv(VARIABLE, built["fused"]["schedule"])
    steps = 20 * CHUNK + 5
    drawn_from, bias = random_uniforms(steps, batch, 1), random_bias(SPEC, batch, 5)
    made = []
    for name in ("tensorrt", "cuda"):
        engine = open_engine(directory, name, "fp16", batch)
        samples = engine.generate(bias, drawn_from)
        made.append([samples, engine.score(samples, bias), *engine.snapshot().values()])
        engine.close()
    for plan, cuda in zip(*made, strict=True):
        assert np.array_equal(plan, cuda)


def test_a_host_may_capture_it(tmp_path: Path) -> None:
    plan = fused(tmp_path, CORNERS["plain"], 1)
    drawn_from = random_uniforms(2 * CHUNK, 1)
    engine = open_engine(plan)
    expected = engine.generate(None, drawn_from)
    engine.reset()
    streams = engine._streams  # type: ignore[attr-defined]
    assert isinstance(streams, PlanStreams)
    engine.generate(None, drawn_from[:CHUNK])
    streams._device.upload(streams._uniforms, drawn_from[CHUNK:])
    streams.tell(CHUNK, 0, 0, forced=False)
    graph = streams._device.capture(lambda: streams.call(0, CHUNK, 0, 0, forced=False))
    streams._device.upload(streams._samples, np.zeros((CHUNK, 1), np.int32))
    streams._device.replay(graph)
    captured = streams._device.download(streams._samples, CHUNK)
    assert np.array_equal(captured, expected[CHUNK:])
    engine.close()


@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("name", ["L20R64S128", "L30R64S256"])
def test_how_fast_it_is(tmp_path: Path, figures: Figures, name: str, batch: int) -> None:
    """Beside the cuda engine in the same precision, in the same run."""
    directory = fused(tmp_path, SPECS[name], batch).parent
    for kind in ("tensorrt", "cuda"):
        engine = open_engine(directory, kind, "fp16", batch)
        figures.append(row(engine, f"{name}, fused plan" if kind == "tensorrt" else name))
        assert figures[-1]["samples_per_second"]
        engine.close()
