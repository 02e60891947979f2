"""A compiled wavenet.c, loaded: the one place where Python's arrays meet C's pointers."""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.cache import entries as cache
from wn_runtime.engines.native import cpu
from wn_runtime.engines.native.compiler import (
    FLAGS,
    compile_library,
    find_compiler,
    source_files,
)
from wn_runtime.engines.native.pack import aligned_zeros, pack
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model.layout import initial
from wn_runtime.model.state import DELAY_LINES, SAMPLES, State
from wn_runtime.model.weights import Weights

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int32
_CALLS: dict[str, tuple[Any, list[Any]]] = {
    "wn_shapes": (ctypes.c_char_p, []),
    "wn_prepare": (_INT, []),
    "wn_model_bytes": (ctypes.c_int64, []),
    "wn_state_bytes": (ctypes.c_int64, []),
    "wn_tile": (_INT, []),
    "wn_generate": (None, [_POINTER, _POINTER, _INT, _POINTER, _INT, _POINTER, _POINTER, _POINTER]),
    "wn_score": (None, [_POINTER, _POINTER, _INT, _POINTER, _INT, _POINTER, _POINTER]),
    "wn_snapshot": (None, [_POINTER, _POINTER, _POINTER]),
    "wn_restore": (None, [_POINTER, _POINTER, _POINTER]),
}
LIBRARY = "wavenet.so"


def compiled(shapes: Shapes, target: tuple[str, ...] | None = None) -> Library:
    """The library of those shapes for this CPU, from the cache or compiled now.

    Raises EngineUnavailable without a compiler, and where what it makes is refused.
    """
    compiler = find_compiler()
    flags = cpu.native_flags() if target is None else target
    entry = cache.Entry(
        "native",
        LIBRARY,
        (
            *(compiler.version, *compiler.command, *FLAGS, *flags, platform.machine()),
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
    """The functions of one library. It holds nothing; models and states are the caller's bytes."""

    def __init__(self, path: Path, shapes: Shapes) -> None:
        """Raises WavestepError when the file is not a library, or not of those shapes."""
        self.shapes = shapes
        try:
            self._c = ctypes.CDLL(str(path))
            for name, (result, arguments) in _CALLS.items():
                function = getattr(self._c, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise WavestepError(f"{path} is not a native engine for this machine ({error})") from (
                error
            )
        if self._c.wn_shapes() != shapes.digest().encode():
            raise WavestepError(
                f"{path} was compiled for a model of other shapes; export the model again"
            )

        if self._c.wn_prepare():
            raise EngineUnavailable(
                f"{path} uses AMX, which this kernel does not allow; compile with -DWN_NO_AMX"
            )

    @property
    def tile(self) -> int:
        """Columns of a tile: what the layout of packed weights depends on beside the precision."""
        return int(self._c.wn_tile())

    @property
    def model_bytes(self) -> int:
        """Size of the packed weights."""
        return int(self._c.wn_model_bytes())

    def model(self, weights: Weights) -> NDArray[np.uint8]:
        """The packed weights; `weights` have been checked against the spec."""
        packed = pack(self.shapes.spec, weights, self.shapes.precision, self.tile)
        self._expect(packed, self._c.wn_model_bytes(), "weights")
        return packed

    def state(self) -> NDArray[np.uint8]:
        """Room for B streams' memory; `restore` makes it a state."""
        return aligned_zeros(self._c.wn_state_bytes())

    def generate(
        self,
        model: NDArray[np.uint8],
        state: NDArray[np.uint8],
        bias: NDArray[np.float32] | None,
        uniforms: NDArray[np.int32],
        inverse_temperature: NDArray[np.float32],
    ) -> Samples:
        """See wn_generate. uniforms (P, B, U), inverse_temperature (B,) -> samples (P, B)."""
        steps, batch, head = len(uniforms), self.shapes.batch, self.shapes.spec.output
        uniforms = self._array(uniforms, np.int32, (steps, batch, head.uniforms))
        inverse = self._array(inverse_temperature, np.float32, (batch,))
        samples = np.empty((steps, batch), head.sample_dtype)
        bias = self._bias(bias, steps)
        self._check(model, state)
        self._c.wn_generate(
            *(_address(model), _address(state), steps, _address(bias), _rows(bias)),
            *(_address(uniforms), _address(inverse), _address(samples)),
        )
        return samples

    def score(
        self,
        model: NDArray[np.uint8],
        state: NDArray[np.uint8],
        bias: NDArray[np.float32] | None,
        samples: Samples,
    ) -> NDArray[np.float32]:
        """See wn_score. samples (T, B) -> params (T, B, A)."""
        steps = len(samples)
        samples = self._samples(samples, (steps, self.shapes.batch))
        params = np.empty((steps, self.shapes.batch, self.shapes.spec.output.params), np.float32)
        bias = self._bias(bias, steps)
        self._check(model, state)
        self._c.wn_score(
            *(_address(model), _address(state), steps, _address(bias), _rows(bias)),
            *(_address(samples), _address(params)),
        )
        return params

    def snapshot(self, state: NDArray[np.uint8]) -> State:
        """The arrays of `model.layout`."""
        arrays = initial(self.shapes.spec, self.shapes.batch)
        self._expect(state, self._c.wn_state_bytes(), "state")
        self._c.wn_snapshot(
            _address(state), _address(arrays[SAMPLES]), _address(arrays[DELAY_LINES])
        )
        return arrays

    def restore(self, state: NDArray[np.uint8], arrays: State) -> None:
        """The inverse of `snapshot`."""
        spec, batch = self.shapes.spec, self.shapes.batch
        samples = self._samples(arrays[SAMPLES], (spec.input_kernel, batch))
        shape = (spec.state_rows, batch, spec.residual_channels)
        lines = self._array(arrays[DELAY_LINES], np.float32, shape)
        self._expect(state, self._c.wn_state_bytes(), "state")
        self._c.wn_restore(_address(state), _address(samples), _address(lines))

    def _check(self, model: NDArray[np.uint8], state: NDArray[np.uint8]) -> None:
        self._expect(model, self._c.wn_model_bytes(), "weights")
        self._expect(state, self._c.wn_state_bytes(), "state")

    @staticmethod
    def _expect(memory: NDArray[np.uint8], size: int, what: str) -> None:
        if memory.nbytes != size or memory.ctypes.data % 64 or not memory.flags.c_contiguous:
            raise WavestepError(
                f"the packed {what} have {memory.nbytes} bytes, the library reads {size}; "
                "export the model again"
            )

    def _bias(self, bias: NDArray[np.float32] | None, steps: int) -> NDArray[np.float32] | None:
        if bias is None:
            return None
        spec, rows = self.shapes.spec, len(bias)
        if not rows or steps % rows:
            raise WavestepError(f"bias has {rows} rows for {steps} samples; give a divisor")
        shape = (rows, spec.layers, self.shapes.batch, spec.gate_channels)
        checked: NDArray[np.float32] = self._array(bias, np.float32, shape)
        return checked

    def _samples(self, given: Any, shape: tuple[int, ...]) -> Samples:
        head = self.shapes.spec.output
        samples: Samples = self._array(head.check(given), head.sample_dtype, shape)
        return samples

    @staticmethod
    def _array(array: Any, kind: Any, shape: tuple[int, ...]) -> Any:
        array = np.ascontiguousarray(array, kind)
        if array.shape != shape:
            raise WavestepError(f"an array is {array.shape}; this call takes {shape}")
        return array


def _address(array: NDArray[Any] | None) -> int | None:
    return None if array is None else array.ctypes.data


def _rows(bias: NDArray[np.float32] | None) -> int:
    return 1 if bias is None else len(bias)
