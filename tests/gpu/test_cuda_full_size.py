"""Models as large as people train them, on this GPU: parity, the likelihood, and the speed."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest

from tests.gpu.conftest import Figures
from tests.gpu.cuda_cases import Case, full_size
from tests.law import oracle
from tests.models.specs import random_samples, random_uniforms, random_weights
from tests.runtime.engines.cuda.checks import TOLERANCE, check_draws, opened
from wn_runtime.engines.cuda.engine import CudaEngine
from wn_runtime.engines.device_loop.device import CudaDevice

pytestmark = pytest.mark.usefixtures("compiled_ahead")
MOST_BITS = 0.01
"""That half precision, or eight bits, may cost a sample."""
ONE_STREAM, MANY = 1200, 64
"""Samples held to the layer equation; of one stream more than the longest dilation looks back."""
BLOCK, REPEATS = 4096, 5


@pytest.mark.parametrize("case", full_size(), ids=str)
def test_it_is_the_model_and_so_fast(gpu: CudaDevice, figures: Figures, case: Case) -> None:
    spec, batch = case.spec, case.batch
    weights, ends = random_weights(spec), sorted({0, batch // 2, batch - 1})
    samples = random_samples(spec, ONE_STREAM if batch == 1 else MANY, batch)
    with opened(case.schedule(gpu), batch) as engine:
        found = engine.score(samples, None)[:, ends]
        expected = oracle.score(spec, weights, samples[:, ends]).astype(np.float32)
        error = float(np.abs(found - expected).max() / np.abs(expected).max())
        assert error <= TOLERANCE[case.precision]
        bits = spec.output.bits
        more = float(bits(found, samples[:, ends]).mean() - bits(expected, samples[:, ends]).mean())
        assert abs(more) <= MOST_BITS, f"{more:.4f} bits a sample"
        check_draws(engine, 256)
        rate = _rate(engine)
        figures.append(
            {
                "what": "speed",
                "model": case.model,
                "engine": engine.name,
                "precision": case.precision,
                "streams": batch,
                "samples_per_second": round(rate),
                "real_time_factor": round(rate / spec.sample_rate, 3),
                "note": engine.note,
                "error": error,
                "more_bits": more,
            }
        )


def _rate(engine: CudaEngine) -> float:
    """Samples a second of each stream: the median of several blocks, the first left out."""
    steps = BLOCK if engine.batch == 1 else BLOCK // 4
    uniforms = random_uniforms(steps, engine.batch)
    engine.generate(None, uniforms)
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        engine.generate(None, uniforms)
        seconds.append(time.perf_counter() - started)
    return steps / statistics.median(seconds)
