"""Ten minutes without a pause, and not a byte more than after the first second.

WAVESTEP_SOAK_SECONDS makes it shorter or longer.
"""

from __future__ import annotations

import os
import resource
import time

import numpy as np

from tests.gpu.plans import built
from tests.specs import CORNERS, random_bias
from wn_runtime.engines.engine import open_engine
from wn_runtime.synthesis.sampling import Uniforms

SECONDS = float(os.environ.get("WAVESTEP_SOAK_SECONDS", "600"))
_MIB = 2**20


def test_memory_is_constant(tmp_path, flavour, gpu, figures):
    spec = CORNERS["one_condition"]
    engine = open_engine(built(tmp_path, spec, flavour, "fp16", 4), batch=4)
    bias, uniforms = random_bias(spec, 4), Uniforms(0, 4)
    for _ in range(20):
        engine.generate(bias, uniforms.draw(256))
    free, resident = gpu.available_bytes(), _resident()
    started, samples = time.monotonic(), 0
    while time.monotonic() - started < SECONDS:
        drawn = engine.generate(bias, uniforms.draw(256))
        samples += len(drawn)
    grown = _resident() - resident
    assert abs(gpu.available_bytes() - free) <= 2 * _MIB, "GPU memory grew"
    assert grown <= 16 * _MIB, f"host memory grew by {grown / _MIB:.1f} MiB"
    assert np.isin(drawn, np.arange(spec.classes)).all()
    seconds = time.monotonic() - started
    figures.append({"what": "soak", "engine": engine.note, "seconds": round(seconds),
                    "samples": samples, "host_bytes_grown": grown})  # fmt: skip
    engine.close()


def _resident() -> int:
    """Peak resident memory; it can only grow, so a leak shows."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
