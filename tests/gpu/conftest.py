"""The machine that `make test-gpu` finds: its GPU, its builders, and where its figures go."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gpu.cuda_cases import compile_ahead
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.tensorrt import module as trt_module
from wn_runtime.errors import EngineUnavailable

RESULTS = Path(__file__).parents[2] / "bench" / "results"
Figures = list[dict[str, object]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder carry the marker."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.gpu)


@pytest.fixture
def gpu() -> Iterator[CudaDevice]:
    """The GPU, or a skip that says why there is none."""
    try:
        device = CudaDevice()
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    yield device
    device.close()


@pytest.fixture(scope="session")
def compiled_ahead(request: pytest.FixtureRequest) -> None:
    """The CUDA engines of this run's tests are compiled before the first of them is opened."""
    try:
        CudaDevice().close()
    except EngineUnavailable:
        return
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    compile_ahead({call.params["case"] for call in calls if call and "case" in call.params})


@pytest.fixture(params=list(trt_module.FLAVOURS))
def flavour(request: pytest.FixtureRequest, gpu: CudaDevice) -> str:
    """TensorRT, then TensorRT-RTX, as far as they are installed."""
    name = str(request.param)
    try:
        trt_module.load(name)
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    return name


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    """Rows of figures; at the end of the run they are in bench/results/gpu-NAME.json."""
    rows: Figures = []
    yield rows
    if not rows:
        return
    device = CudaDevice()
    name = re.sub(r"\W+", "-", device.name).strip("-").lower()
    result = {
        "gpu": device.name,
        "compute_capability": device.compute_capability,
        "machine": platform.machine(),
        "rows": rows,
    }
    device.close()
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"gpu-{name}.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
