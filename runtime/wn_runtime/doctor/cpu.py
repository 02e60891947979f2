"""What the CPU engines need: Python, a C compiler and its cache, ONNX Runtime."""

from __future__ import annotations

import os
import platform
import shlex
import stat
import sys
from pathlib import Path

from wn_runtime import extras, installation, temporary
from wn_runtime.doctor.finding import MISSING, OK, WARN, Finding
from wn_runtime.doctor.machine import Machine
from wn_runtime.engines.native import zig
from wn_runtime.engines.native.platforms import system_compilers
from wn_runtime.engines.native.program import command_words
from wn_runtime.errors import WavestepError
from wn_runtime.system import owner
from wn_runtime.system.here import library_suffix

OLDEST_PYTHON = (3, 10)
COMPILE_S = 300.0
"""Seconds that a compiler may take; zig's first run compiles its own libraries, too."""
_VECTORS = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "amx_int8",
    "asimd",
    "asimddp",
    "bf16",
)


def python() -> Finding:
    """The interpreter this runs in."""
    found = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return Finding("Python", MISSING, f"{found} is too old", "install Python 3.10 or newer")
    return Finding("Python", OK, found)


_NUMPY = """
import json
import numpy
print(json.dumps({"version": numpy.__version__}))
"""


def numpy(machine: Machine) -> Finding:
    """NumPy, without which nothing runs."""
    found = machine.python(_NUMPY)
    if "error" in found:
        why = f"cannot be imported ({found['error']}): no engine"
        return Finding("NumPy", MISSING, why, installation.pip("--force-reinstall", "numpy"))
    return Finding("NumPy", OK, str(found["version"]))


def processor(machine: Machine) -> Finding:
    """The CPU and the vector instructions that the native engine would use."""
    model, features = machine.cpu()
    vectors = [name for name in _VECTORS if name in features]
    detail = f"{model or machine.architecture}, {os.cpu_count()} cores"
    if not vectors:
        return Finding(
            "CPU", WARN, f"{detail}: no vector instructions known; the native engine is slower"
        )
    return Finding("CPU", OK, f"{detail}, {' '.join(vectors)}")


def compiler(machine: Machine) -> Finding:
    """The compiler that the native engine takes, where it makes a shared library.

    $CC, or else the first of cc, gcc, clang and zig that tells its version, as find_compiler does.
    """
    asked = machine.environ.get("CC", "").strip()
    system = tuple((name,) for name in system_compilers())
    one = zig.how_to_get_one(which=machine.which)
    reason, fix = "none found", f"install one: {one}"
    if asked:
        reason, fix = f"$CC is {asked!r}, which is not there", "set CC to a C compiler, or unset it"
    elif machine.version("ziglang") and not machine.zig():
        reason += zig.PLACEHOLDER
    for words in (command_words(asked),) if asked else (*system, machine.zig()):
        path = machine.which(words[0]) if words else None
        if path is None:
            continue
        command = (path, *words[1:])
        own = zig.is_zig(command)
        status, version = machine.run(
            zig.version_command(command) if own else (*command, "--version")
        )
        if status or not version:
            reason = f"{path} fails: {_last_words(status, version)}"
            continue
        fault = _try_compiler(machine, command)
        if fault is None:
            return Finding("C compiler", OK, f"{'zig ' * own}{version.splitlines()[0]} ({path})")
        reason = f"{path} fails: {fault}"
        if not asked:
            fix = f"{zig.how_to_get()} --force-reinstall" if own else f"reinstall it: {one}"
        break
    cost = "the native engine, the fastest on a CPU, cannot be built here"
    return Finding("C compiler", MISSING, f"{reason}: {cost}", fix)


def _try_compiler(machine: Machine, command: tuple[str, ...]) -> str | None:
    """None when it makes a library from C with the math header, else its last complaint."""
    with temporary.folder() as directory:
        source = directory / "probe.c"
        source.write_text("#include <math.h>\ndouble probe(double x) { return exp(x); }\n")
        library = source.with_suffix(library_suffix())
        try:
            kept = zig.environment(directory / "kept") if zig.is_zig(command) else None
        except WavestepError as error:
            return str(error)
        status, output = machine.run(
            [*command, "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-lm"],
            COMPILE_S,
            kept,
        )
        if status == 0 and library.exists():
            return None
        return _last_words(status, output)


def _last_words(status: int, output: str) -> str:
    return output.splitlines()[-1] if output else f"exit status {status}"


def cache(directory: Path) -> Finding:
    """The folder of compiled libraries: ours alone, or nothing in it is loaded."""
    try:
        found = directory.stat()
    except FileNotFoundError:
        parent = next(p for p in directory.parents if p.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            return Finding("compile cache", OK, f"{directory} (made at first use)")
        return Finding(
            "compile cache",
            MISSING,
            f"{parent} cannot be written: every start compiles anew",
            "set XDG_CACHE_HOME to a folder of yours",
        )
    except OSError as error:
        return Finding(
            "compile cache",
            MISSING,
            f"{directory}: {error.strerror}: every start compiles anew",
            "set XDG_CACHE_HOME to a folder of yours",
        )
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISDIR(found.st_mode) or not owner.is_mine(found):
        return Finding(
            "compile cache",
            MISSING,
            f"{directory} is not a folder of this user's: not used",
            "set XDG_CACHE_HOME to a folder of yours",
        )
    if owner.open_to_others(found):
        return Finding(
            "compile cache",
            WARN,
            f"{directory} has mode {mode:o}: others may write what we run",
            f"chmod 700 {shlex.quote(str(directory))}",
        )
    return Finding("compile cache", OK, f"{directory}, mode {mode:o}")


_PROVIDERS = """
import json, os
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # see engines/onnx/session.py
import onnxruntime
print(json.dumps({"providers": onnxruntime.get_available_providers()}))
"""


def onnx_runtime(machine: Machine, jetson: bool) -> tuple[Finding, list[str]]:
    """ONNX Runtime, and the names of its providers."""
    subject = "ONNX Runtime"
    plain, gpu = machine.version("onnxruntime"), machine.version("onnxruntime-gpu")
    found = machine.python(_PROVIDERS)
    if "error" in found:
        if plain is None and gpu is None and "No module named" in found["error"]:
            cost = "not installed: no onnx engine"
            return Finding(subject, MISSING, cost, installation.install("onnx")), []
        broken = f"cannot be imported ({found['error']}): no onnx engine"
        which = "onnxruntime-gpu" if gpu and not plain else "onnxruntime"
        fix = installation.pip("--force-reinstall", which)
        return Finding(subject, MISSING, broken, fix), []
    providers = [str(name) for name in found["providers"]]
    shown = ", ".join(name.removesuffix("ExecutionProvider") for name in providers)
    detail = f"{gpu or plain or 'unknown version'}: {shown}"
    if plain and gpu:
        return Finding(
            subject,
            WARN,
            f"{detail}; onnxruntime and onnxruntime-gpu overwrite each other",
            "pip uninstall -y onnxruntime onnxruntime-gpu, then install one of them",
        ), providers
    if jetson and gpu:
        return Finding(
            subject,
            WARN,
            f"{detail}; PyPI's wheel has no kernels for Jetson GPUs",
            extras.install_onnxruntime_gpu(machine.read),
        ), providers
    return Finding(subject, OK, detail), providers
