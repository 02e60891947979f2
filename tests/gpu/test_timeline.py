"""Where the cycles of a layer go on this GPU. Figures, no thresholds, for bench/results/."""

from __future__ import annotations

import pytest

from bench.gpu.engine import MODELS
from bench.gpu.timeline import MarkingDevice, measure
from tests.gpu.conftest import Figures
from wn_runtime.engines.cuda.choose import VARIABLE, choose
from wn_runtime.engines.cuda.open import this_gpu
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.errors import EngineUnavailable

STEPS = 1024


@pytest.mark.parametrize("schedule", ["clustered:1", "clustered:1:older"])
@pytest.mark.parametrize("name", ["L20-R64-S128", "L30-R64-S256"])
def test_of_one_stream_in_a_cluster(
    gpu: CudaDevice, figures: Figures, name: str, schedule: str
) -> None:
    try:
        choice = choose(MODELS[name], "int8", 1, this_gpu(gpu).gpu, {VARIABLE: schedule})
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    cycles = measure(MarkingDevice(), choice.schedule, STEPS)
    figures.append({"what": "timeline", "model": name, "schedule": schedule, "cycles": cycles})
    assert 0 < cycles["pace"] < 5000
    assert cycles["gate works"] > 0
