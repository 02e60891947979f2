"""A compiled wavenet.c, found in the cache or made, and loaded."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from wn_runtime.engines.cache import entries as cache
from wn_runtime.engines.native import cpu
from wn_runtime.engines.native.compiler import (
    compile_library,
    find_compiler,
    source_files,
)
from wn_runtime.engines.native.pack import Tiles, pack
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.engines.native.streams import Packed, Streams
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model.weights import Weights
from wn_runtime.system.here import library_suffix

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int32
_BIAS = [_POINTER, _INT, _POINTER, _INT]
_BLOCK = [_POINTER, _POINTER, _INT, _INT, *_BIAS]
_CALLS: dict[str, tuple[Any, list[Any]]] = {
    "wn_shapes": (ctypes.c_char_p, []),
    "wn_prepare": (_INT, []),
    "wn_model_bytes": (ctypes.c_int64, []),
    "wn_state_bytes": (ctypes.c_int64, []),
    "wn_tile": (_INT, []),
    "wn_group": (_INT, []),
    "wn_apart": (_INT, []),
    "wn_most_helpers": (_INT, []),
    "wn_help": (None, [_POINTER, _POINTER, _INT]),
    "wn_dismiss": (None, [_POINTER]),
    "wn_forked": (None, [_POINTER]),
    "wn_missed": (ctypes.c_int64, [_POINTER]),
    "wn_generate": (None, [*_BLOCK, _POINTER, _POINTER, _POINTER]),
    "wn_score": (None, [*_BLOCK, _POINTER, _POINTER]),
    "wn_snapshot": (None, [_POINTER, _POINTER, _POINTER]),
    "wn_restore": (None, [_POINTER, _POINTER, _POINTER]),
}
LIBRARY = f"wavenet{library_suffix()}"


def compiled(shapes: Shapes, target: tuple[str, ...] | None = None) -> Library:
    """The library of those shapes for this CPU, from the cache or compiled now.

    Raises EngineUnavailable without a compiler, and where what it makes is refused.
    """
    compiler = find_compiler()
    flags = compiler.native() if target is None else target
    entry = cache.Entry(
        "native",
        LIBRARY,
        (
            *(compiler.version, *compiler.command, *compiler.flags, *flags, cpu.machine()),
            *(*sorted(cpu.features()), shapes.header(), shapes.head_source()),
            *(path.read_text("utf-8") for path in source_files()),
        ),
    )
    return cache.load(
        entry,
        lambda out: compile_library(compiler, flags, shapes, out),
        lambda path: Library(path, shapes),
    )


class Library:
    """The code for some shapes. It holds no model: packed weights are bytes that engines share."""

    def __init__(self, path: Path, shapes: Shapes) -> None:
        """Raises WavestepError when the file is not a library, or not of those shapes."""
        self.shapes = shapes
        try:
            self._c = ctypes.CDLL(str(path))
            same = self._declared("wn_shapes")() == shapes.digest().encode()
            for name in _CALLS if same else ():  # an older library has not all of them
                self._declared(name)
        except (OSError, AttributeError) as error:
            raise WavestepError(f"{path} is not a native engine for this machine ({error})") from (
                error
            )
        if not same:
            raise WavestepError(
                f"{path} was compiled for a model of other shapes; export the model again"
            )

        if self._c.wn_prepare():
            raise EngineUnavailable(
                f"{path} uses AMX, which this kernel does not allow; compile with -DWN_NO_AMX"
            )

    def _declared(self, name: str) -> Any:
        function = getattr(self._c, name)
        function.restype, function.argtypes = _CALLS[name]
        return function

    @property
    def tiles(self) -> Tiles:
        """What the layout of packed weights depends on beside the precision."""
        return Tiles(int(self._c.wn_tile()), int(self._c.wn_group()), int(self._c.wn_apart()))

    @property
    def model_bytes(self) -> int:
        """Size of the packed weights."""
        return int(self._c.wn_model_bytes())

    def model(self, weights: Weights) -> Packed:
        """The packed weights; `weights` have been checked against the spec."""
        return pack(self.shapes.spec, weights, self.shapes.precision, self.tiles)

    @property
    def most_helpers(self) -> int:
        """Threads that find work beside the one that calls."""
        return int(self._c.wn_most_helpers())

    def streams(self, model: Packed, helpers: int = 0) -> Streams:
        """B streams of a model, from silence, in memory of their own.

        helpers: threads that make them together with the one that calls. Raises WavestepError
        where they cannot be started.
        """
        return Streams(self._c, self.shapes, model, min(helpers, self.most_helpers))
