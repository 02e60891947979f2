"""What this CPU can do, and what a compiler's target asks of one."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Mapping, Sequence

from wn_runtime.system.cpu import features
from wn_runtime.system.here import machine

__all__ = ["features", "machine", "native_flags", "required"]

# Macros that compilers define for a target, and the names of those features in Linux, which
# wn_runtime.system.cpu knows on every system. Not among them: Arm's AES and SHA2, which no compiler
# uses unasked; clang takes every Cortex-A72 to have them, though the one of a Raspberry Pi has not.
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
_ARM_32 = {"__ARM_NEON": "neon", "__ARM_FEATURE_FMA": "vfpv4", "__ARM_FEATURE_IDIV": "idiva"}
_RISCV = {f"__riscv_{name}": name for name in (*"mafdcv", "zba", "zbb", "zbs", "zfh", "zvfh")}
_MACHINES: dict[str, tuple[str, dict[str, str]]] = {
    "__x86_64__": ("x86_64", {f"__{macro}__": name for macro, name in _X86.items()}),
    "__aarch64__": ("aarch64", {f"__ARM_FEATURE_{macro}": name for macro, name in _ARM.items()}),
    "__arm__": ("armv7l", _ARM_32),
    "__riscv": ("riscv64", _RISCV),
}
"""Macro of a machine to what Linux calls it, and macros to features."""


def native_flags() -> tuple[str, ...]:
    """The compiler's flags for this very CPU, and for what its kernel allows."""
    if machine() == "aarch64":
        return ("-mcpu=native",)
    if machine() == "riscv64":  # no name for it that both GCC and Clang of today take
        return ()
    return ("-march=native",) if _amx_allowed() else ("-march=native", "-DWN_NO_AMX")


def _amx_allowed() -> bool:
    """Whether Linux keeps AMX tiles for this process (arch_prctl, ARCH_REQ_XCOMP_PERM)."""
    if "amx_int8" not in features() or machine() != "x86_64" or sys.platform != "linux":
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
    for macro, (called, table) in _MACHINES.items():
        if macro in macros:
            return called, tuple(sorted({name for m, name in table.items() if m in macros}))
    return "unknown", ()
