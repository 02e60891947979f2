"""Every attribute and call of TensorRT that we use is in the real bindings, from 10.3 to 11.4.

mypy proves that no other one is used: the module is typed by wn_runtime/engines/tensorrt/api.py.
Here that file is held against the bindings' own classes and docstrings, each version in a process
of its own, over stub libraries (stub.c).
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import wn_export
import wn_runtime
from tests.cuda_on_cpu import tensorrt as stand_in
from tests.runtime.engines import api_surface
from wn_runtime.engines.tensorrt import api as trt_api

Surface = dict[str, dict[str, tuple[str, ...] | None]]
"""Class to member to the parameters it is called with; None: it is no method."""
RTX_ONLY: Surface = {
    "BuilderFlag": {"REQUIRE_USER_ALLOCATION": None},
    "IExecutionContext": {"is_stream_capturable": ("stream",)},
}
"""What of the classes of api.py TensorRT itself has not, and is not asked for."""
TENSORRT_ONLY: Surface = {
    "INetworkDefinition": {"add_plugin_v3": ("inputs", "shape_inputs", "plugin")},
}
"""What TensorRT-RTX has not, and is not asked for: its networks take no plugins."""
CALLBACKS: Surface = {
    "ILogger": {"log": ("severity", "msg")},
    "IProgressMonitor": {
        "phase_start": ("phase_name", "parent_phase", "num_steps"),
        "step_complete": ("phase_name", "step"),
        "phase_finish": ("phase_name",),
    },
    "IPluginV3": {
        "clone": (),
        "get_capability_interface": None,  # of one argument, whose name is another since 10.13
        "destroy": (),
    },
    "IPluginV3OneBuild": {
        "configure_plugin": ("in", "out"),
        "get_output_data_types": ("input_types",),
        "get_output_shapes": ("inputs", "shape_inputs", "expr_builder"),
        "get_valid_tactics": (),
        "get_workspace_size": ("in", "out"),
        "supports_format_combination": ("pos", "in_out", "num_inputs"),
    },
    "IPluginV3OneRuntime": {
        "attach_to_context": ("resource_context",),
        "enqueue": ("input_desc", "output_desc", "inputs", "outputs", "workspace", "stream"),
        "get_fields_to_serialize": (),
        "on_shape_change": ("in", "out"),
        "set_tactic": ("tactic",),
    },
    "IPluginCreatorV3One": {"create_plugin": ("name", "field_collection", "phase")},
}
"""The methods that TensorRT calls on our subclasses, with their arguments."""

VERSIONS = {
    "10.3": "tensorrt-cu12-bindings==10.3.0",
    "10.13": "tensorrt-cu13-bindings==10.13.3.9",
    "10.16": "tensorrt-cu13-bindings==10.16.1.11",
    "11.4": "tensorrt-cu13-bindings==11.4.0.106",
}
LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
CACHE = Path(os.environ.get("WAVESTEP_BINDINGS", tempfile.gettempdir())) / "wavestep-trt-bindings"
CLASSES = {
    name: protocol
    for name, protocol in vars(trt_api).items()
    if getattr(protocol, "_is_protocol", False)
    and name not in ("Protocol", "TensorRT", "TensorRtRtx", "RtxExecutionContext")
    and not name.startswith("Makes")
    and name not in RTX_ONLY.keys() - {"IExecutionContext"}
}
THEIRS = re.compile(
    r"(^|\.)(_?trt|rtx|builder_config|maker|_?engine|_?runtime|_contexts\[.*\]|_?context|network|layer"
    r"|constant|output|inspector|tensor|registry|expr_builder)"
    r"(\.(DataType|TensorFormat|TensorIOMode|LayerInformationFormat|ProfilingVerbosity|ILogger"
    r"|ExecutionContextAllocationStrategy|BuilderFlag|NetworkDefinitionCreationFlag|PluginFieldType))?$"
)
"""How our code calls what is TensorRT's."""
DESCRIBE = """
import importlib, json, sys
trt = importlib.import_module(sys.argv[1])
wanted = json.load(sys.stdin)
found = {"version": trt.__version__, "classes": {}}
for name, members in wanted.items():
    owner = getattr(trt, name, None)
    if owner is not None:
        found["classes"][name] = {
            member: getattr(owner, member).__doc__ or "" for member in members
            if hasattr(owner, member)
        }
json.dump(found, sys.stdout)
"""


def surface(rtx: bool = False) -> Surface:
    """All that wavestep uses, of TensorRT-RTX or TensorRT; calls into our code included."""
    table: Surface = {name: api_surface.members(protocol) for name, protocol in CLASSES.items()}
    for name, callbacks in CALLBACKS.items():
        table.setdefault(name, {}).update(callbacks)
    for name, members in RTX_ONLY.items() if rtx else ():
        table[name] = {**table.get(name, {}), **members}
    for name, protocol in vars(trt_api).items():
        if name.startswith("Makes"):
            made = table.setdefault(name.removeprefix("Makes"), {})
            made["__init__"] = api_surface.members(protocol)["__call__"]
    for name, members in TENSORRT_ONLY.items() if rtx else ():
        table[name] = {m: what for m, what in table[name].items() if m not in members}
    return table


def missing(wanted: Surface, found: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What of `wanted` the bindings lack, or take other arguments for."""
    faults = []
    for name, members in wanted.items():
        if name not in found:
            faults.append(name)
            continue
        for member, parameters in members.items():
            if member not in found[name]:
                faults.append(f"{name}.{member}")
            elif parameters is not None:
                overloads = api_surface.documented(found[name][member], member)
                if not api_surface.fits(parameters, overloads):
                    faults.append(f"{name}.{member}{parameters}: {overloads}")
    return faults


def describe(module: str, wanted: Surface, folder: Path | None = None) -> dict[str, Any]:
    """The version of a module, and the docstrings of what it has of `wanted`."""
    environment = dict(os.environ)
    if folder is not None:
        environment |= {"PYTHONPATH": str(folder), "LD_LIBRARY_PATH": str(folder)}
    process = subprocess.run(
        [sys.executable, "-c", DESCRIBE, module],
        input=json.dumps(wanted),
        text=True,
        capture_output=True,
        env=environment,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    described: dict[str, Any] = json.loads(process.stdout)
    return described


@pytest.fixture(scope="module", params=VERSIONS)
def bindings(request: pytest.FixtureRequest) -> tuple[str, Path]:
    """A version, and a folder with its bindings and stub libraries beside them."""
    requirement = VERSIONS[request.param]
    folder = CACHE / f"{requirement}-cp{sys.version_info[0]}{sys.version_info[1]}"
    if not (folder / "ready").exists():
        if shutil.which("gcc") is None:
            pytest.skip("gcc is not installed")
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as name:
            fetched = Path(name)
            fetch(requirement, fetched)
            (fetched / "ready").touch()
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(fetched, folder)
    return request.param, folder


def fetch(requirement: str, folder: Path) -> None:
    """The bindings of a version from the registry, and a stub for each library they load."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*pip, "--only-binary=:all:", "--dest", str(folder), requirement],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        if os.environ.get("WAVESTEP_REQUIRE_BINDINGS"):
            pytest.fail(f"pip cannot get {requirement}: {done.stderr}")
        pytest.skip(f"pip cannot get {requirement}: no registry, or no such wheel for it")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    major = requirement.split("==")[1].split(".")[0]
    for library in LIBRARIES:
        soname = f"lib{library}.so.{major}"
        stub = str(Path(__file__).with_name("stub.c"))
        flags = ["-w", "-shared", "-fPIC", f"-Wl,-soname,{soname}"]
        subprocess.run(["gcc", *flags, stub, "-o", str(folder / soname)], check=True)


def test_all_that_is_used_is_there(bindings: tuple[str, Path]) -> None:
    version, folder = bindings
    found = describe("tensorrt_bindings", surface(), folder)
    assert found["version"].startswith(version + ".")
    assert missing(surface(), found["classes"]) == []


def test_tensorrt_rtx_has_it_too() -> None:
    pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT-RTX is not installed")
    wanted = surface(rtx=True)
    assert missing(wanted, describe("tensorrt_rtx_bindings", wanted)["classes"]) == []


def test_tensorrt_rtx_takes_no_plugins() -> None:
    pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT-RTX is not installed")
    classes = describe("tensorrt_rtx_bindings", TENSORRT_ONLY)["classes"]
    named = [f"{name}.{member}" for name, each in TENSORRT_ONLY.items() for member in each]
    assert missing(TENSORRT_ONLY, classes) == named


def test_what_tensorrt_rtx_has_besides_tensorrt_has_not(bindings: tuple[str, Path]) -> None:
    _, folder = bindings
    classes = describe("tensorrt_bindings", RTX_ONLY, folder)["classes"]
    named = [f"{name}.{member}" for name, each in RTX_ONLY.items() for member in each]
    assert missing(RTX_ONLY, classes) == named


def test_what_a_version_lacks_is_told(bindings: tuple[str, Path]) -> None:
    """The check can fail: 11 took these away, and none ever had the others."""
    version, folder = bindings
    gone: Surface = {
        "BuilderFlag": {"FP16": None},
        "ILayer": {"set_output_type": ("index", "dtype")},
    }
    never: Surface = {"Runtime": {"deserialize_cuda_engine": ("path",)}, "INoSuch": {}}
    classes = describe("tensorrt_bindings", {**gone, **never}, folder)["classes"]
    faults = missing({**gone, **never}, classes)
    assert [fault.split("(")[0] for fault in faults] == [
        *(["BuilderFlag.FP16", "ILayer.set_output_type"] if version.startswith("11") else []),
        "Runtime.deserialize_cuda_engine",
        "INoSuch",
    ]


def test_the_surface_is_not_empty() -> None:
    table = surface()
    assert len(table) >= 13
    assert sum(len(entries) for entries in table.values()) >= 40


def modules() -> Iterator[tuple[Path, str]]:
    """Every source that could use TensorRT: its path in its package, and its text."""
    for package in (wn_runtime, wn_export):
        home = Path(package.__path__[0])
        for path in home.rglob("*.py"):
            yield path.relative_to(home), path.read_text("utf-8")


def test_tensorrt_is_imported_in_one_place_only() -> None:
    """So that the typed module is the only way in, and mypy sees every use."""
    statement = re.compile(r"^\s*(?:import|from) tensorrt", re.M)
    places = {path.as_posix() for path, text in modules() if statement.search(text)}
    assert places == {"doctor/gpu.py"}  # in its probe; engines/tensorrt/module.py has it by name


@pytest.mark.parametrize(
    "name",
    ["ILogger", "ICudaEngine", "IExecutionContext", "EngineInspector", "DataType", "TensorIOMode"],
)
def test_the_stand_in_is_what_is_used_and_no_more(name: str) -> None:
    wanted = surface(rtx=True)[name]
    owner = getattr(stand_in, name)
    engine = {"num_io_tensors", "device_memory_size_v2"}  # set by its constructor
    for member, parameters in wanted.items():
        if member in engine:
            continue
        value = getattr(owner, member)
        if parameters is not None:
            assert api_surface.parameters(value) == tuple(parameters), member
    public = {member for member in vars(owner) if not member.startswith("_")}
    assert public <= wanted.keys()


def test_nothing_else_is_used() -> None:
    """What mypy proves of types, once more of names: each attribute is one that is declared."""
    declared = set(trt_api.TensorRT.__annotations__) | {"BuilderFlag", "get_plugin_registry"}
    for members in [*surface().values(), *surface(rtx=True).values()]:
        declared |= members.keys()
    used = set()
    for path, text in modules():
        if "tensorrt" not in path.parts:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute) and THEIRS.search(ast.unparse(node.value)):
                used.add(node.attr)
    ours = {"network", "plan", "types", "products", "get", "items"}  # of names alike
    assert used - declared <= ours
    assert len(used) >= 25
    assert {"execute_async_v3", "deserialize_cuda_engine", "get_engine_information"} <= used
