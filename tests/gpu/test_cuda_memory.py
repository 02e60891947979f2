"""Memory of the CUDA engine on this GPU: constant, and touched only where it may be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu.conftest import Figures
from tests.gpu.cuda_cases import Case
from tests.gpu.soak import soaked
from tests.models.specs import random_bias
from tests.runtime.engines.cuda.checks import opened
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.heads.head import Samples
from wn_runtime.synthesis.uniforms import UniformStream, draw

SANITIZER = shutil.which("compute-sanitizer") or shutil.which(
    "compute-sanitizer", path="/usr/local/cuda/bin"
)
# One thread block a group: of clusters and mbarriers racecheck knows only a part.
WATCHED = """
from tests.gpu.cuda_cases import Case
from tests.runtime.engines.cuda.checks import opened
from tests.models.specs import random_bias, random_uniforms
from wn_runtime.engines.device_loop.device import CudaDevice

case = Case("uneven", "int8", "resident", 2, 3)
device = CudaDevice()
with opened(case.schedule(device), case.batch) as engine:
    bias = random_bias(case.spec, case.batch)
    samples = engine.generate(bias, random_uniforms(24, case.batch))
    engine.score(samples, bias)
    engine.restore(engine.snapshot())
device.close()
"""


def test_it_is_constant(gpu: CudaDevice, figures: Figures) -> None:
    case = Case("one_condition", "int8", "resident", 2, 4)
    streams = [UniformStream(0, number) for number in range(case.batch)]
    bias = random_bias(case.spec, case.batch)
    with opened(case.schedule(gpu), case.batch) as engine:

        def make() -> Samples:
            engine.restore(engine.snapshot())
            return engine.generate(bias, draw(streams, 1024, 1))

        figures.append(soaked(gpu, engine, make))


def test_memcheck_finds_nothing(gpu: CudaDevice) -> None:
    """Not racecheck, which does not take an arrival on a named barrier for order (docs/cuda.md)."""
    if SANITIZER is None:
        pytest.skip("compute-sanitizer is not installed")
    command = [
        SANITIZER,
        "--tool",
        "memcheck",
        "--error-exitcode",
        "9",
        sys.executable,
        "-c",
        WATCHED,
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=150,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "0 errors" in done.stdout, done.stdout[-3000:]
