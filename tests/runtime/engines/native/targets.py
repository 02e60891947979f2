"""The instruction sets that wavenet.c has code for, those that this machine can run."""

from __future__ import annotations

import platform
import shutil

import pytest

from wn_runtime.engines.native import cpu

_X86 = ("native", "skylake-avx512", "alderlake", "haswell", "x86-64")
_ARM = ("native", "armv8.6-a", "armv8.2-a+dotprod", "armv8-a")

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="needs a C compiler"
)


def _param(flag: str) -> object:
    target = (flag,)
    reason = ""
    if not shutil.which("cc"):
        reason = "needs cc"
    elif missing := set(cpu.required(["cc", *target])[1]) - cpu.features():
        reason = f"this CPU has no {', '.join(sorted(missing))}"
    return pytest.param(target, id=flag, marks=pytest.mark.skipif(bool(reason), reason=reason))


_NAMES = _ARM if platform.machine() in ("aarch64", "arm64") else _X86
TARGETS = [*(_param(f"-march={name}") for name in _NAMES), _param("-DWN_PLAIN")]
"""Parameters of a test: compiler flags, the plain C path last."""
