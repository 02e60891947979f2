"""Ten minutes without a pause, and not a byte more than after the first second.

WAVESTEP_SOAK_SECONDS makes it shorter or longer.
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from tests.gpu.conftest import Figures
from tests.gpu.plans import built
from tests.specs import CORNERS, random_bias
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.synthesis.uniforms import UniformStream, draw

SECONDS = float(os.environ.get("WAVESTEP_SOAK_SECONDS", "600"))
_MIB = 2**20


def test_memory_is_constant(
    tmp_path: Path, flavour: str, gpu: CudaDevice, figures: Figures
) -> None:
    spec = CORNERS["one_condition"]
    engine = open_engine(built(tmp_path, spec, flavour, "fp16", 4), batch=4)
    bias, streams = random_bias(spec, 4), [UniformStream(0, number) for number in range(4)]
    for _ in range(20):
        engine.generate(bias, draw(streams, 256, 1))
    free, resident = gpu.available_bytes(), _resident()
    started, samples = time.monotonic(), 0
    while time.monotonic() - started < SECONDS:
        drawn = engine.generate(bias, draw(streams, 256, 1))
        samples += len(drawn)
    grown = _resident() - resident
    assert abs(gpu.available_bytes() - free) <= 2 * _MIB, "GPU memory grew"
    assert grown <= 16 * _MIB, f"host memory grew by {grown / _MIB:.1f} MiB"
    spec.output.check(drawn)
    figures.append(
        {
            "what": "soak",
            "engine": engine.note,
            "seconds": round(time.monotonic() - started),
            "samples": samples,
            "host_bytes_grown": grown,
        }
    )
    engine.close()


def _resident() -> int:
    """Peak resident memory; it can only grow, so a leak shows."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
