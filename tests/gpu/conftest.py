"""The machine that `make test-gpu` finds: its GPU, its builders, and where its figures go."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

import pytest

from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.engine import EngineUnavailable
from wn_runtime.engines.tensorrt import module as trt_module

RESULTS = Path(__file__).parents[2] / "bench" / "results"


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.gpu)


@pytest.fixture
def gpu():
    """The GPU, or a skip that says why there is none."""
    try:
        device = CudaDevice()
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    yield device
    device.close()


@pytest.fixture(params=list(trt_module.FLAVOURS))
def flavour(request, gpu):
    """TensorRT, then TensorRT-RTX, as far as they are installed."""
    try:
        trt_module.load(request.param)
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    return request.param


@pytest.fixture(scope="session")
def figures():
    """Rows of figures; at the end of the run they are in bench/results/gpu-NAME.json."""
    rows: list[dict[str, object]] = []
    yield rows
    if not rows:
        return
    try:
        device = CudaDevice()
    except EngineUnavailable:
        return
    name = re.sub(r"\W+", "-", device.name).strip("-").lower()
    result = {
        "gpu": device.name, "compute_capability": device.compute_capability,
        "machine": platform.machine(), "rows": rows,
    }  # fmt: skip
    device.close()
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"gpu-{name}.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
