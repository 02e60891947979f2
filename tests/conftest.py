"""What all tests share."""

from __future__ import annotations

import importlib
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from wn_runtime.engines.device_loop.compiler import STANDARD

for _number in (signal.SIGINT, signal.SIGHUP):
    # Ignored by whoever runs the tests in the background; the commands they start would ignore it.
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def compiled_code_stays_out_of_home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The cache of compiled code lies in pytest's own, which is kept from one run to the next.

    What tests say to trust is forgotten.
    """
    with pytest.MonkeyPatch.context() as patch:
        assert request.config.cache is not None
        own = str(request.config.cache.mkdir("wavestep"))
        patch.setenv("XDG_CACHE_HOME", own)
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def nvrtc() -> Any:
    """cuda-core's module, where NVRTC is installed."""
    try:
        core: Any = importlib.import_module("cuda.core")
        options = core.ProgramOptions(arch="sm_80", std=STANDARD)
        core.Program('extern "C" __global__ void k() {}', "c++", options).compile("cubin")
    except Exception as error:  # ImportError, and cuda-core's own for a library that is not there
        pytest.skip(f"NVRTC is not installed: {str(error).splitlines()[0]}")
    return core
