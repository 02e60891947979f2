"""What we use of cuda-core is in the real package, and the stand-in has that and no more."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from tests.cuda_on_cpu import device as stand_in
from tests.runtime.engines import api_surface
from wn_runtime.engines.device_loop import api as cuda_api

INSTANCES = ("Buffer", "Stream", "Device", "GraphBuilder", "Graph", "ObjectCode", "Program")


@pytest.fixture(scope="module")
def core() -> Any:
    pytest.importorskip("cuda.bindings", reason="cuda-bindings is not installed")
    return pytest.importorskip("cuda.core", reason="cuda-core is not installed")


def real(core: Any, name: str) -> Any:
    if name in ("Graph", "GraphBuilder"):
        return getattr(pytest.importorskip("cuda.core.graph"), name)
    return getattr(core, name)


@pytest.mark.parametrize("name", INSTANCES)
def test_all_that_is_used_is_in_the_package(core: Any, name: str) -> None:
    owner = real(core, name)
    for member, parameters in api_surface.members(getattr(cuda_api, name)).items():
        value = getattr(owner, member)
        if parameters is not None:
            names = list(inspect.signature(value).parameters.values())
            given = [p.name for p in names if p.name != "self"]
            assert set(parameters) <= set(given), (member, given)
            required = [p.name for p in names if p.default is p.empty and p.name != "self"]
            assert set(required) <= set(parameters), (member, required)


def test_classes_are_made_as_the_package_makes_them(core: Any) -> None:
    assert set(inspect.signature(core.ProgramOptions).parameters) >= {"arch", "std"}
    assert "from_handle" in dir(core.Buffer)
    assert "from_cubin" in dir(core.ObjectCode)
    assert "from_handle" in dir(core.Stream)
    core.LaunchConfig(grid=1, block=32, shmem_size=0)
    assert hasattr(core.LaunchConfig, "is_cooperative")
    view = core.Buffer.from_handle(4096, 16)
    assert (int(view.handle), view.size) == (4096, 16)


@pytest.mark.parametrize("name", INSTANCES)
def test_the_stand_in_is_what_is_used_and_no_more(name: str) -> None:
    wanted = api_surface.members(getattr(cuda_api, name))
    statics = getattr(cuda_api, f"{name}Class", None)
    classes = {} if statics is None else api_surface.members(statics)
    owner = getattr(stand_in, name)
    for member, parameters in {**wanted, **classes}.items():
        if parameters is not None:
            assert api_surface.parameters(getattr(owner, member)) == parameters, member
    public = {m for m, v in vars(owner).items() if not m.startswith("_") and callable(v)}
    assert public - {"from_handle", "from_cubin"} <= wanted.keys()
