"""The systems and machines that wavenet.c is compiled for, and what each is called by whom."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wn_runtime.errors import WavestepError, unknown
from wn_runtime.system import here

GLIBC = "2.28"
"""Of Debian 10, RHEL 8 and JetPack 5: what is compiled ahead runs there and on all newer ones."""
MACOS = "11.0"
"""The first for Apple's own CPUs."""


@dataclass(frozen=True)
class Platform:
    """A system on a machine."""

    system: str
    """`linux`, `windows` or `macos`, as `wn_runtime.system.here` calls them."""
    machine: str
    """What Linux calls the machine, `platform.machine()` there: `x86_64`, `aarch64`."""
    triple: str
    """Zig's name of it."""
    flags: tuple[str, ...] = ()
    """More for zig."""
    cross: tuple[str, str] | None = None
    """The system's compiler for it, elsewhere, and the package that has it; None: only zig."""


# Without a C library a DLL takes 5 s to make and needs none on the device: zig would first compile
# one, for over a minute. GCC for Windows is not taken: it puts AVX vectors on the stack where the
# CPU does not take them (its bug 54412).
_WINDOWS = (
    *("-ffreestanding", "-nostdlib", "-rtlib=compiler-rt"),
    *("-lkernel32", "-lapi-ms-win-core-synch-l1-2-0"),
)
PLATFORMS = (
    Platform(
        *("linux", "x86_64", f"x86_64-linux-gnu.{GLIBC}"),
        cross=("x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu"),
    ),
    Platform(
        *("linux", "aarch64", f"aarch64-linux-gnu.{GLIBC}"),
        cross=("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
    ),
    Platform(
        *("linux", "armv7l", f"arm-linux-gnueabihf.{GLIBC}"),
        cross=("arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf"),
    ),
    Platform(
        *("linux", "riscv64", f"riscv64-linux-gnu.{GLIBC}"),
        cross=("riscv64-linux-gnu-gcc", "gcc-riscv64-linux-gnu"),
    ),
    Platform("windows", "x86_64", "x86_64-windows-gnu", _WINDOWS),
    Platform("windows", "aarch64", "aarch64-windows-gnu", _WINDOWS),
    Platform("macos", "x86_64", f"x86_64-macos.{MACOS}"),
    Platform("macos", "aarch64", f"aarch64-macos.{MACOS}"),
)

# Beginnings of GCC's names of architectures and cores; others are of x86-64.
_ARM_32 = re.compile(r"armv7|cortex-a(?:5|7|8|9|1[257]|32)(?!\d)")
_ARM_64 = re.compile(r"armv[89]|cortex-|neoverse-|apple-")
_RISCV = re.compile(r"rv64")


def machine_of(march: str) -> str:
    """The machine of CPUs that GCC calls so: `aarch64` of `cortex-a78ae`."""
    for pattern, machine in ((_ARM_32, "armv7l"), (_ARM_64, "aarch64"), (_RISCV, "riscv64")):
        if pattern.match(march):
            return machine
    return "x86_64"


def find(system: str, machine: str) -> Platform:
    """The platform of that system and machine. Raises WavestepError where there is none."""
    for platform in PLATFORMS:
        if (platform.system, platform.machine) == (system, machine):
            return platform
    raise WavestepError(
        unknown("platform", f"{system} {machine}", [f"{p.system} {p.machine}" for p in PLATFORMS])
    )


SUFFIXES = tuple(sorted({here.library_suffix(platform.system) for platform in PLATFORMS}))
"""What the names of libraries end in."""


def system_compilers() -> tuple[str, ...]:
    """Names of compilers that this system may have; on Windows GCC is none."""
    return ("clang",) if here.system() == "windows" else ("cc", "gcc", "clang")
