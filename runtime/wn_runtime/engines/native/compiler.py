"""The system's C compiler on wavenet.c."""

from __future__ import annotations

import functools
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from wn_runtime import temporary
from wn_runtime.engines.native.program import command_words, run
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import EngineUnavailable, WavestepError

SOURCE = Path(__file__).with_name("source")
# Multiply-adds are fused and errno is left alone; nothing else may differ from IEEE arithmetic.
FLAGS = (
    *("-std=gnu11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"),
    *("-fvisibility=hidden", "-shared", "-fPIC"),
)
_SECONDS, _VERSION_SECONDS = 120.0, 10.0


@dataclass(frozen=True)
class Compiler:
    """A C compiler's command and what it says it is."""

    command: tuple[str, ...]
    version: str

    @property
    def name(self) -> str:
        """For messages and manifests."""
        return f"{Path(self.command[0]).name} ({self.version})"


def find_compiler(name: str | None = None) -> Compiler:
    """That compiler; by default $CC, cc, gcc or clang. Raises EngineUnavailable without one."""
    if name is not None:
        return _find(name, os.environ.get("PATH", ""), name)
    return _find(os.environ.get("CC", ""), os.environ.get("PATH", ""), "$CC")


@functools.lru_cache
def _find(chosen: str, path: str, asked: str) -> Compiler:
    for command in [chosen] if chosen.strip() else ["cc", "gcc", "clang"]:
        words = command_words(command)
        if not words or shutil.which(words[0], path=path) is None:
            continue
        status, said = run([*words, "--version"], _VERSION_SECONDS)
        if status == 0 and said:
            return Compiler(words, said[0])
    if asked != "$CC":
        raise EngineUnavailable(f"{asked} is not here; apt install gcc-aarch64-linux-gnu")
    what = f"$CC is {chosen!r}, which does not run" if chosen.strip() else "no C compiler is here"
    raise EngineUnavailable(
        f"{what}; with one (apt install gcc) this model would run several times faster, or have "
        "its library compiled ahead of time: wn-export --target"
    )


def source_files() -> list[Path]:
    """wavenet.c and its headers."""
    return sorted([*SOURCE.glob("*.c"), *SOURCE.glob("*.h")])


def compile_library(compiler: Compiler, target: tuple[str, ...], shapes: Shapes, out: Path) -> None:
    """Compile wavenet.c for those shapes and target flags (`-march=…`) to the file `out`.

    Raises WavestepError with the compiler's own first error.
    """
    with temporary.folder() as directory:
        (directory / "shapes.h").write_text(shapes.header(), "utf-8")
        (directory / "head.h").write_text(shapes.head_source(), "utf-8")
        arguments = [*FLAGS, *target, "-I", str(directory), "-I", str(SOURCE)]
        status, lines = run(
            [*compiler.command, *arguments, "-o", str(out), str(SOURCE / "wavenet.c")], _SECONDS
        )
    if status or not out.is_file() or not out.stat().st_size:
        reason = next((line for line in lines if "error" in line), " ".join(lines[:1]))
        raise WavestepError(
            f"{compiler.name} could not compile the native engine ({reason or 'no reason given'}); "
            "set $CC to another compiler, or use --engine onnx"
        )
