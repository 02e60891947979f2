"""The system's C compiler on wavenet.c."""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import EngineUnavailable, WavestepError

SOURCE = Path(__file__).with_name("source")
# Multiply-adds are fused and errno is left alone; nothing else may differ from IEEE arithmetic.
FLAGS = (
    *("-std=gnu11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"),
    *("-fvisibility=hidden", "-shared", "-fPIC"),
)
_SECONDS = 120


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
        try:
            words = tuple(shlex.split(command))
        except ValueError:  # a quote that is not closed
            continue
        if shutil.which(words[0], path=path) is None:
            continue
        done = _run([*words, "--version"])
        if done.returncode == 0 and done.stdout:
            return Compiler(words, done.stdout.splitlines()[0])
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
    with tempfile.TemporaryDirectory(prefix="wavestep-") as directory:
        Path(directory, "shapes.h").write_text(shapes.header(), "utf-8")
        Path(directory, "head.h").write_text(shapes.head_source(), "utf-8")
        arguments = [*FLAGS, *target, "-I", directory, "-I", str(SOURCE)]
        done = _run([*compiler.command, *arguments, "-o", str(out), str(SOURCE / "wavenet.c")])
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = next((line for line in lines if "error" in line), " ".join(lines[:1]))
        raise WavestepError(
            f"{compiler.name} could not compile the native engine ({reason}); "
            "set $CC to another compiler, or use --engine onnx"
        )


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, "", f"error: {error}")
