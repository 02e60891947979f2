"""zig, the C compiler that comes as a Python wheel (the extra `cc`), and how it is spoken to.

It is clang with headers and libraries of its own for every target, so that it needs nothing of the
system's and compiles for any other. Its options are clang's, but for the names of CPUs.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from wn_runtime import installation, system_packages
from wn_runtime.engines.cache import entries
from wn_runtime.engines.native.platforms import Platform

FLAGS = ("-g0", "-fno-sanitize=undefined")
"""What it adds by itself and we do not want: symbols for debuggers, and traps."""
PLACEHOLDER = " (the package ziglang here is a placeholder without one: no wheel fits this machine)"

_PACKAGE = "ziglang"
_ARCHITECTURE = re.compile(r"armv(\d)(?:\.(\d))?-a")
_RISCV = re.compile(r"rv64([a-z]+)((?:_[a-z0-9]+)*)")
# GCC's names of Arm features (-march=armv8.2-a+…) to LLVM's, where they are others.
_FEATURES = {
    "crypto": ("aes", "sha2"),
    "fp": ("fp_armv8",),
    "fp16": ("fullfp16",),
    "memtag": ("mte",),
    "neon-vfpv4": ("neon", "vfp4"),
    "profile": ("spe",),
    "rdma": ("rdm",),
    "rng": ("rand",),
    "simd": ("neon",),
}


def how_to_get() -> str:
    """What to type to have it."""
    return installation.install("cc")


def how_to_get_one(
    package: str = system_packages.COMPILER, which: Callable[[str], str | None] = shutil.which
) -> str:
    """What to type to have a C compiler: a package of the system's, or this one.

    package: as `system_packages` calls it. which: finds a program on PATH.
    """
    of_system = system_packages.install(package, which)
    return f"{of_system}, or {how_to_get()}" if of_system else how_to_get()


def command() -> tuple[str, ...]:
    """The command of the package's compiler; none where the package is not, or is a placeholder.

    The program is started directly and not by `python -m ziglang`, which would look for that
    package in the working directory first.
    """
    for folder in _folders():
        program = folder / ("zig.exe" if os.name == "nt" else "zig")
        if os.access(program, os.X_OK) and program.is_file():
            return str(program), "cc"
    return ()


def is_placeholder() -> bool:
    """Whether the package is here without a compiler in it: release 0.0.0, which fits anywhere."""
    return bool(_folders()) and not command()


def _folders() -> list[Path]:
    """Where the package is; it is not imported, nor looked for in the working directory."""
    path = [entry for entry in sys.path if os.path.isabs(entry)]  # noqa: PTH117 (they are strings)
    spec = PathFinder.find_spec(_PACKAGE, path)
    return [Path(folder) for folder in (spec and spec.submodule_search_locations) or []]


def is_zig(command: Sequence[str]) -> bool:
    """Whether that is zig: `zig cc`, `python -m ziglang cc`, with or without flags."""
    return bool(_program(command))


def version_command(command: Sequence[str]) -> tuple[str, ...]:
    """What prints zig's own version; `cc --version` tells clang's."""
    return (*_program(command), "version")


def _program(command: Sequence[str]) -> tuple[str, ...]:
    for at, (word, following) in enumerate(itertools.pairwise(command)):
        if following == "cc" and Path(word).stem in ("zig", _PACKAGE):
            return tuple(command[: at + 1])
    return ()


def environment(local: Path | None = None) -> dict[str, str]:
    """The environment to start it in: what it keeps, it keeps where only this user can write.

    What is kept is a target's libc and built-ins, some 50 MB, that go into what it links. local: a
    folder for the rest, what was compiled itself. Raises WavestepError where the cache cannot be
    used.
    """
    kept = entries.folder("zig")
    return {
        **os.environ,
        "ZIG_GLOBAL_CACHE_DIR": str(kept),
        "ZIG_LOCAL_CACHE_DIR": str(local or kept),
    }


def target_flags(platform: Platform, march: str) -> tuple[str, ...]:
    """The flags for CPUs that GCC calls `march`, of a platform."""
    return "-target", platform.triple, f"-mcpu={cpu_name(march)}", *platform.flags


@functools.cache
def cpu_name(march: str) -> str:
    """Zig's name of a CPU or architecture that GCC calls so.

    `x86-64-v3` is `x86_64_v3`, `cortex-a78ae` is `cortex_a78ae`, `armv8.2-a+dotprod` is
    `generic+v8_2a+dotprod`, and `rv64gc` is `generic_rv64` with its extensions. A name that is in
    no table passes as it is: zig says what is wrong.
    """
    riscv = _RISCV.fullmatch(march)
    if riscv:
        single, longer = riscv.groups()
        names = [*single.replace("g", "imafd").removeprefix("i"), *longer.split("_")[1:]]
        return "+".join(("generic_rv64", *names))
    base, *features = march.split("+")
    architecture = _ARCHITECTURE.fullmatch(base)
    if architecture:
        name = f"generic+v{'_'.join(filter(None, architecture.groups()))}a"
    else:
        name = base.replace("-", "_")
    for feature in features:
        sign, known = ("-", feature[2:]) if feature.startswith("no") else ("+", feature)
        for each in _FEATURES.get(known, (known,)):
            name += sign + each.replace("-", "_")
    return name
