"""The C API's code, compiled, and what it says that it reads."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wn_export.c_api.host_shapes import HostShapes
from wn_export.c_api.source import HEADER, c_source
from wn_runtime import temporary
from wn_runtime.engines.native.compiler import Compiler
from wn_runtime.engines.native.pack import Tiles
from wn_runtime.engines.native.program import run
from wn_runtime.errors import WavestepError

OBJECT, SHARED = "wavestep.o", "libwavestep.so"
_MARK = b"wavestep packed layout:\0"  # file_layout in source/host/file.h
_LAYOUT = struct.Struct("<IIII32s")
_SECONDS = 600.0


@dataclass(frozen=True)
class Layout:
    """What a compiled library says of the files it reads."""

    precision: int
    tiles: Tiles
    digest: bytes


def compile_object(
    compiler: Compiler, target: Sequence[str], shapes: HostShapes, out: Path
) -> Layout:
    """Compile the C API of those shapes to the object file `out`; what it reads.

    target: in the compiler's own words. Raises WavestepError with the compiler's first error.
    """
    flags = [flag for flag in compiler.flags if flag != "-shared"]
    return compile_source(compiler, [*flags, *target, "-c"], shapes, out)


def compile_source(
    compiler: Compiler, flags: Sequence[str], shapes: HostShapes, out: Path
) -> Layout:
    """The same with other flags than a library's, to whatever file those make of it."""
    with temporary.folder() as folder:
        (folder / "wavestep.c").write_text(c_source(shapes), "utf-8")
        (folder / HEADER.name).write_bytes(HEADER.read_bytes())
        command = [*compiler.command, *flags, str(folder / "wavestep.c"), "-o", str(out)]
        _run(compiler, command, folder / "kept", out)
    return layout(out)


def link_shared(compiler: Compiler, target: Sequence[str], object_file: Path, out: Path) -> None:
    """Link an object file to the shared library `out`. Raises WavestepError."""
    with temporary.folder() as folder:
        command = [*compiler.command, *target, "-shared", f"-Wl,-soname,{out.name}"]
        _run(compiler, [*command, str(object_file), "-o", str(out)], folder / "kept", out)


def layout(path: Path) -> Layout:
    """What the compiled library at `path` says that it reads: it stands in its bytes."""
    code = path.read_bytes()
    at = code.find(_MARK)
    if at < 0:
        raise WavestepError(f"{path} does not say what it reads; it is no library of the C API")
    precision, columns, group, apart, digest = _LAYOUT.unpack_from(code, at + len(_MARK))
    return Layout(precision, Tiles(columns, group, apart), digest)


def _run(compiler: Compiler, command: Sequence[str], kept: Path, out: Path) -> None:
    status, lines = run(command, _SECONDS, compiler.environment(kept))
    if status or not out.is_file() or not out.stat().st_size:
        reason = next((line for line in lines if "error" in line), " ".join(lines[:1]))
        raise WavestepError(
            f"{compiler.name} could not compile the C API ({reason or 'no reason given'}); set $CC "
            "to another compiler"
        )
