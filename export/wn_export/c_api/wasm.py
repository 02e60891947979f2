"""The C API as a WebAssembly module: no imports, its memory and wavestep.h's functions exported."""

from __future__ import annotations

from pathlib import Path

from wn_export.c_api.host_shapes import HostShapes
from wn_export.c_api.library import Layout, compile_source
from wn_runtime.engines.native.compiler import Compiler, find_zig

_FEATURES = {
    "relaxed": "generic+simd128+bulk_memory_opt+relaxed_simd",
    "simd": "generic+simd128+bulk_memory_opt",
}
BUILDS = tuple(_FEATURES)
"""The fastest first. `relaxed` has multiply-add in one; browsers have it since 2023 or later."""
_FREESTANDING = ("-target", "wasm32-freestanding", "-nostdlib")
_LINK = ("--no-entry", "--export-dynamic", "--export=__heap_base", "--strip-all")
_STACK = ("-z", "stack-size=65536")


def find_compiler() -> Compiler:
    """The one that compiles for WebAssembly. Raises EngineUnavailable."""
    return find_zig("WebAssembly")


def flags(compiler: Compiler, build: str) -> list[str]:
    """Those that a module without imports is compiled and linked with, for a build of BUILDS."""
    kept = [flag for flag in compiler.flags if flag not in ("-shared", "-fPIC")]
    link = [f"-Wl,{option}" for option in (*_LINK, ",".join(_STACK))]
    return [*kept, *_FREESTANDING, f"-mcpu={_FEATURES[build]}", *link]


def compile_wasm(compiler: Compiler, build: str, shapes: HostShapes, out: Path) -> Layout:
    """Compile the C API of those shapes to the module `out`; what it reads.

    Raises WavestepError with the compiler's first error.
    """
    return compile_source(compiler, flags(compiler, build), shapes, out)
