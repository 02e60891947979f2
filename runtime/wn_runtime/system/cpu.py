"""What the CPU here is called, and which of its features may be used, by the names of Linux.

Linux      /proc/cpuinfo (arch/x86/include/asm/cpufeatures.h, arch/arm64/kernel/cpuinfo.c)
macOS      sysctl
Windows    IsProcessorFeaturePresent and the registry, which name fewer: of the others those are
taken that every CPU has that has the ones named
"""

from __future__ import annotations

import ctypes
import functools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from wn_runtime.system.here import machine

_SYSCTL = ("/usr/sbin/sysctl", "machdep.cpu", "hw.optional")
_SECONDS = 10.0

# What sysctl says on Intel, in lower case with _ for dots, where Linux says something else.
_MACOS_X86 = {
    "sse3": "pni", "sse4_1": "sse4_1", "sse4_2": "sse4_2", "avx1_0": "avx", "lzcnt": "abm",
    "avx512vnni": "avx512_vnni", "avx512bitalg": "avx512_bitalg",
    "avx512vbmi2": "avx512_vbmi2", "avx512vpopcntdq": "avx512_vpopcntdq",
}  # fmt: skip
_MACOS_ARM = {
    "FEAT_LSE": "atomics", "FEAT_DotProd": "asimddp", "FEAT_FP16": "asimdhp", "FEAT_I8MM": "i8mm",
    "FEAT_BF16": "bf16", "FEAT_CRC32": "crc32", "armv8_crc32": "crc32", "FEAT_FHM": "asimdfhm",
    "FEAT_RDM": "asimdrdm", "FEAT_FCMA": "fcma", "FEAT_JSCVT": "jscvt", "FEAT_LRCPC": "lrcpc",
}  # fmt: skip

# winnt.h: PF_… to features, and what comes with them: Windows tells of AVX2, but not of what every
# x86-64-v3 has beside it (Intel's and AMD's; others made CPUs with AVX2 and without FMA).
_V3 = ("avx2", "fma", "f16c", "bmi1", "bmi2", "abm", "movbe", "popcnt")
_WINDOWS_X86 = {
    13: ("pni",), 36: ("ssse3",), 37: ("sse4_1",), 38: ("sse4_2", "popcnt"), 39: ("avx",),
    40: _V3,
}  # fmt: skip
_WINDOWS_ARM = {
    31: ("crc32",), 34: ("atomics", "asimdrdm"), 43: ("asimddp",), 44: ("jscvt", "fcma"),
    45: ("lrcpc",),
}  # fmt: skip
_MAKERS = ("GenuineIntel", "AuthenticAMD")
_CPU_KEY = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"


def name() -> str:
    """What its maker calls it; nothing where the system does not tell."""
    if sys.platform == "win32":
        return _registry("ProcessorNameString")
    if sys.platform == "darwin":
        return _sysctl().get("machdep.cpu.brand_string", "")
    return name_of(cpuinfo())


def name_of(fields: dict[str, str]) -> str:
    """In Linux's words: `model name` on x86-64, the board's `Model` on Arm, `uarch` on RISC-V."""
    return fields.get("model name") or fields.get("Model") or fields.get("uarch", "")


@functools.cache
def features() -> frozenset[str]:
    """Those of the CPU here; none where the system does not tell."""
    if sys.platform == "win32":
        return _windows(_present, _registry("VendorIdentifier"))
    return _macos(_sysctl()) if sys.platform == "darwin" else of_cpuinfo(cpuinfo(), machine())


def cpuinfo(text: str | None = None) -> dict[str, str]:
    """The fields of Linux's /proc/cpuinfo, of its first CPU; none where there is none."""
    if text is None:
        try:
            text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
        except OSError:
            return {}
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    return fields


def of_cpuinfo(fields: dict[str, str], machine: str) -> frozenset[str]:
    """The features that Linux tells of: `flags` on x86-64, `Features` on Arm, `isa` on RISC-V.

    RISC-V's are its extensions: `m`, `v`, `zba`. A 32-bit process on a 64-bit kernel is told the
    names of the latter; all that is asked for of 32-bit Arm is in every such CPU.
    """
    found = set((fields.get("flags") or fields.get("Features") or "").split())
    if machine == "armv7l" and "asimd" in found:
        found |= {"neon", "vfpv4", "idiva"}
    letters, *longer = fields.get("isa", "").lower().split("_")
    if re.match(r"rv(32|64|128)", letters):
        single = letters.lstrip("rv0123456789")
        found |= {*single.replace("g", "imafd"), *longer}
    return frozenset(found)


def _macos(told: dict[str, str]) -> frozenset[str]:
    found = set()
    for key, value in told.items():
        last = key.rpartition(".")[2]
        if key.startswith("hw.optional.") and last in _MACOS_ARM and value == "1":
            found.add(_MACOS_ARM[last])
        if re.fullmatch(r"machdep\.cpu\.(ext|leaf7_)?features", key):
            words = [word.replace(".", "_") for word in value.lower().split()]
            found |= {_MACOS_X86.get(word, word) for word in words}
    return frozenset(found)


@functools.cache
def _sysctl() -> dict[str, str]:
    """`key: value` lines as macOS prints them; what one has not, it says on stderr."""
    try:
        done = subprocess.run(_SYSCTL, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _windows(present: Callable[[int], bool], maker: str) -> frozenset[str]:
    if machine() == "aarch64":
        return frozenset(f for pf, those in _WINDOWS_ARM.items() if present(pf) for f in those)
    if maker not in _MAKERS:
        return frozenset()
    return frozenset(f for pf, those in _WINDOWS_X86.items() if present(pf) for f in those)


def _present(feature: int) -> bool:
    if sys.platform != "win32":
        return False
    return bool(ctypes.windll.kernel32.IsProcessorFeaturePresent(feature))


def _registry(value: str) -> str:
    """Of the first CPU."""
    if sys.platform != "win32":
        return ""
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _CPU_KEY) as key:
            return str(winreg.QueryValueEx(key, value)[0]).strip()
    except OSError:
        return ""
