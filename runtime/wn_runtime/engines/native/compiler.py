"""A C compiler on wavenet.c: the system's, or zig, which comes as a wheel."""

from __future__ import annotations

import functools
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from wn_runtime import temporary
from wn_runtime.engines.native import cpu, platforms, zig
from wn_runtime.engines.native.platforms import Platform
from wn_runtime.engines.native.program import command_words, run
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.system import here

SOURCE = Path(__file__).with_name("source")
# Multiply-adds are fused and errno is left alone; nothing else may differ from IEEE arithmetic.
FLAGS = (
    *("-std=gnu11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"),
    *("-fvisibility=hidden", "-shared", "-fPIC"),
)
_SECONDS, _VERSION_SECONDS = 600.0, 10.0  # zig's first run compiles its own libraries, too
_ARM_CORES = ("cortex-", "neoverse-")


@dataclass(frozen=True)
class Compiler:
    """A C compiler's command and what it says it is."""

    command: tuple[str, ...]
    version: str

    @property
    def name(self) -> str:
        """For messages and manifests: `gcc (gcc 12.2.0)`, `zig (0.17.1)`."""
        program = "zig" if zig.is_zig(self.command) else Path(self.command[0]).name
        return f"{program} ({self.version})"

    @property
    def flags(self) -> tuple[str, ...]:
        """Those that every library is compiled with."""
        if zig.is_zig(self.command):
            return (*FLAGS, *zig.FLAGS)
        # All code is so on Windows, whose Clang takes it for a mistake.
        return tuple(f for f in FLAGS if f != "-fPIC" or here.system() != "windows")

    def target(self, march: str, platform: Platform) -> tuple[str, ...]:
        """The flags for CPUs of an architecture or a core by GCC's name, of that platform."""
        if zig.is_zig(self.command):
            return zig.target_flags(platform, march)
        return (f"-{'mcpu' if march.startswith(_ARM_CORES) else 'march'}={march}",)

    def native(self) -> tuple[str, ...]:
        """The flags for this very machine."""
        flags = cpu.native_flags()
        if zig.is_zig(self.command) and here.system() == "windows":
            flags += platforms.find("windows", here.machine()).flags
        return flags

    def environment(self, local: Path | None = None) -> dict[str, str] | None:
        """What to start it in, None: this process's. local: a folder for what need not be kept."""
        return zig.environment(local) if zig.is_zig(self.command) else None


def find_compiler() -> Compiler:
    """$CC, or else the first of cc, gcc, clang and zig. Raises EngineUnavailable without one."""
    chosen = os.environ.get("CC", "")
    if chosen.strip():
        found = _first(command_words(chosen))
        what = f"$CC is {chosen!r}, which does not run"
    else:
        found = _first(*((name,) for name in platforms.system_compilers())) or _first(zig.command())
        what = f"no C compiler is here{zig.PLACEHOLDER if zig.is_placeholder() else ''}"
    if found is None:
        raise EngineUnavailable(
            f"{what}; with one ({zig.how_to_get_one()}) this model would run several times faster, "
            "or have its library compiled ahead of time: wn-export --target"
        )
    return found


def find_cross_compiler(platform: Platform) -> Compiler:
    """The compiler for a platform: where that is this one any, else the system's for it, or zig.

    $CC comes first where it is zig, which compiles for any. Raises EngineUnavailable.
    """
    if (platform.system, platform.machine) == (here.system(), here.machine()):
        return find_compiler()
    name, package = platform.cross or (None, None)
    found = _first(_chosen_zig(), (name,) if name else ())
    found = found or _first(zig.command())
    if found is None:
        what = zig.how_to_get_one(package) if package else zig.how_to_get()
        raise EngineUnavailable(f"{name or 'zig'} is not here; {what}")
    return found


def find_zig(purpose: str) -> Compiler:
    """zig, for what nothing else compiles: $CC where it is that, else the wheel's.

    Raises EngineUnavailable, which names the purpose.
    """
    found = _first(_chosen_zig()) or _first(zig.command())
    if found is None:
        note = zig.PLACEHOLDER if zig.is_placeholder() else ""
        raise EngineUnavailable(f"{purpose} needs the compiler zig{note}; {zig.how_to_get()}")
    return found


def _chosen_zig() -> tuple[str, ...]:
    """$CC where it is zig; else nothing."""
    chosen = command_words(os.environ.get("CC", ""))
    return chosen if zig.is_zig(chosen) else ()


def _first(*commands: tuple[str, ...]) -> Compiler | None:
    for words in commands:
        program = shutil.which(words[0]) if words else None
        version = _version((program, *words[1:])) if program is not None else None
        if version:
            return Compiler(words, version)
    return None


@functools.lru_cache
def _version(words: tuple[str, ...]) -> str | None:
    """What a command says of its version; None where it fails."""
    asked = zig.version_command(words) if zig.is_zig(words) else (*words, "--version")
    status, said = run(asked, _VERSION_SECONDS)
    return said[0] if status == 0 and said else None


def source_files() -> list[Path]:
    """wavenet.c and its headers."""
    return sorted([*SOURCE.glob("*.c"), *SOURCE.glob("*.h")])


def compile_library(compiler: Compiler, target: tuple[str, ...], shapes: Shapes, out: Path) -> None:
    """Compile wavenet.c for those shapes and target flags to the file `out`.

    target: in the compiler's own words, as of `Compiler.target` or `Compiler.native`.

    Raises WavestepError with the compiler's own first error.
    """
    with temporary.folder() as directory:
        (directory / "shapes.h").write_text(shapes.header(), "utf-8")
        (directory / "head.h").write_text(shapes.head_source(), "utf-8")
        arguments = [*compiler.flags, *target, "-I", str(directory), "-I", str(SOURCE)]
        made = directory / out.name  # what else a linker writes beside it is not kept
        status, lines = run(
            [*compiler.command, *arguments, "-o", str(made), str(SOURCE / "wavenet.c")],
            _SECONDS,
            compiler.environment(directory / "kept"),
        )
        done = not status and made.is_file() and made.stat().st_size
        if done:
            shutil.copyfile(made, out)
    if not done:
        reason = next((line for line in lines if "error" in line), " ".join(lines[:1]))
        raise WavestepError(
            f"{compiler.name} could not compile the native engine ({reason or 'no reason given'}); "
            "set $CC to another compiler, or use --engine onnx"
        )
