"""What this CPU can do, and what a compiler's target asks of one."""

from __future__ import annotations

import ctypes
import functools
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Macros that compilers define for a target, and the kernel's names of those features
# (arch/x86/include/asm/cpufeatures.h, arch/arm64/kernel/cpuinfo.c). Not among them: Arm's AES and
# SHA2, which no compiler uses unasked; clang takes every Cortex-A72 to have them, though the one of
# a Raspberry Pi has not.
_X86 = {
    "SSE3": "pni", "SSSE3": "ssse3", "SSE4_1": "sse4_1", "SSE4_2": "sse4_2", "AVX": "avx",
    "AVX2": "avx2", "FMA": "fma", "F16C": "f16c", "BMI": "bmi1", "BMI2": "bmi2", "LZCNT": "abm",
    "POPCNT": "popcnt", "MOVBE": "movbe", "ADX": "adx", "AVX512F": "avx512f",
    "AVX512BW": "avx512bw", "AVX512CD": "avx512cd", "AVX512DQ": "avx512dq",
    "AVX512VL": "avx512vl", "AVX512VNNI": "avx512_vnni", "AVX512BF16": "avx512_bf16",
    "AVX512VBMI": "avx512vbmi", "AVX512VBMI2": "avx512_vbmi2", "AVX512IFMA": "avx512ifma",
    "AVX512BITALG": "avx512_bitalg", "AVX512VPOPCNTDQ": "avx512_vpopcntdq",
    "AVX512FP16": "avx512_fp16", "AVXVNNI": "avx_vnni", "AMX_INT8": "amx_int8",
    "AMX_TILE": "amx_tile", "GFNI": "gfni", "VPCLMULQDQ": "vpclmulqdq", "VAES": "vaes",
}  # fmt: skip
_ARM = {
    "ATOMICS": "atomics", "DOTPROD": "asimddp", "FP16_VECTOR_ARITHMETIC": "asimdhp",
    "MATMUL_INT8": "i8mm", "BF16_VECTOR_ARITHMETIC": "bf16", "CRC32": "crc32", "SVE": "sve",
    "SVE2": "sve2", "FP16_FML": "asimdfhm", "QRDMX": "asimdrdm", "COMPLEX": "fcma",
    "JCVT": "jscvt", "RCPC": "lrcpc",
}  # fmt: skip


def machine() -> str:
    """The architecture of the CPU here, as Linux calls it."""
    return {"arm64": "aarch64"}.get(platform.machine(), platform.machine())


@functools.cache
def features() -> frozenset[str]:
    """The features of this machine's CPU by the kernel's names; empty where it tells none."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return frozenset()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def native_flags() -> tuple[str, ...]:
    """The compiler's flags for this very CPU, and for what its kernel allows."""
    if machine() == "aarch64":
        return ("-mcpu=native",)
    return ("-march=native",) if _amx_allowed() else ("-march=native", "-DWN_NO_AMX")


def _amx_allowed() -> bool:
    """Whether Linux keeps AMX tiles for this process (arch_prctl, ARCH_REQ_XCOMP_PERM)."""
    if "amx_int8" not in features() or platform.machine() != "x86_64":
        return False
    return bool(ctypes.CDLL(None).syscall(158, 0x1023, 18) == 0)


def required(
    compiler: Sequence[str], environment: Mapping[str, str] | None = None
) -> tuple[str, tuple[str, ...]]:
    """The machine and CPU features that code of `compiler`, a command with its flags, may need.

    environment: to start it in; None: this process's.
    """
    done = subprocess.run(
        [*compiler, "-dM", "-E", "-x", "c", "-"], input="", capture_output=True, text=True,
        check=True, timeout=60, env=environment,
    )  # fmt: skip
    macros = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("#define ")}
    arm = "__aarch64__" in macros
    table, prefix, suffix = (_ARM, "__ARM_FEATURE_", "") if arm else (_X86, "__", "__")
    names = {name for macro, name in table.items() if f"{prefix}{macro}{suffix}" in macros}
    if arm:
        return "aarch64", tuple(sorted(names))
    return "x86_64" if "__x86_64__" in macros else "unknown", tuple(sorted(names))
