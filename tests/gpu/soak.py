"""Memory over a while: WAVESTEP_SOAK_SECONDS of it, 20 unless told (ten minutes: 600)."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable

from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.engine import Engine
from wn_runtime.heads.head import Samples

SECONDS = float(os.environ.get("WAVESTEP_SOAK_SECONDS", "20"))
_MIB = 2**20


def soaked(gpu: CudaDevice, engine: Engine, make: Callable[[], Samples]) -> dict[str, object]:
    """Blocks without a pause; the row for the figures. Raises AssertionError where memory grew."""
    for _ in range(20):
        make()
    free, resident = gpu.available_bytes(), _resident()
    started, samples = time.monotonic(), 0
    while time.monotonic() - started < SECONDS:
        samples += len(drawn := make())
    grown = _resident() - resident
    assert abs(gpu.available_bytes() - free) <= 2 * _MIB, "GPU memory grew"
    assert grown <= 16 * _MIB, f"host memory grew by {grown / _MIB:.1f} MiB"
    engine.spec.output.check(drawn)
    return {
        "what": "soak",
        "engine": engine.note,
        "seconds": round(time.monotonic() - started),
        "samples": samples,
        "host_bytes_grown": grown,
    }


def _resident() -> int:
    """Peak resident memory; it can only grow, so a leak shows."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
