"""The package ziglang: one that a test describes, and the real one where it is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from wn_runtime.engines.native import zig

REQUIRED = "WAVESTEP_REQUIRE_ZIG" in os.environ
"""CI has it: there no test may skip for want of it."""
needs_zig = pytest.mark.skipif(
    not zig.command() and not REQUIRED, reason="needs ziglang, of the extra cc"
)

ARM_MACROS = "#define __aarch64__ 1\n#define __ARM_FEATURE_DOTPROD 1"
X86_MACROS = "#define __x86_64__ 1\n#define __AVX2__ 1"
# Says its version, tells the macros of a target, and writes what it was asked and where it keeps.
_SCRIPT = """#!/bin/sh
if [ "$1" = version ]; then echo 9.9.9; exit; fi
case "$*" in
    *aarch64*-E*) echo '{arm}'; exit ;;
    *-E*) echo '{x86}'; exit ;;
esac
while [ $# -gt 1 ]; do
    asked="$asked $1"
    [ "$1" = -o ] && out="$2"
    shift
done
echo "$asked|$ZIG_GLOBAL_CACHE_DIR|$ZIG_LOCAL_CACHE_DIR" > "$out"
"""


def install(site: Path, script: str = _SCRIPT) -> Path:
    """A package ziglang whose compiler is a shell script; returns that."""
    package = site / "ziglang"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    program = package / "zig"
    program.write_text(script.replace("{arm}", ARM_MACROS).replace("{x86}", X86_MACROS))
    program.chmod(0o755)
    return program


def only(monkeypatch: pytest.MonkeyPatch, site: Path) -> None:
    """Packages are found there and nowhere else that ziglang might be."""
    path = [entry for entry in sys.path if not (Path(entry) / "ziglang").is_dir()]
    monkeypatch.setattr(sys, "path", [str(site), *path])
