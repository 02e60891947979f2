"""A compiled wavenet.c, loaded: the one place where Python's arrays meet C's pointers."""

from __future__ import annotations

import ctypes
import hashlib
import platform
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.cache import entries as cache
from wn_runtime.engines.engine import EngineUnavailable
from wn_runtime.engines.native import compiler as build
from wn_runtime.engines.native import cpu
from wn_runtime.engines.native.pack import aligned_zeros, pack
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import WavestepError
from wn_runtime.model.weights import Weights

_LARGEST = float(np.finfo(np.float32).max)
_POINTER, _INT, _FLOAT = ctypes.c_void_p, ctypes.c_int32, ctypes.c_float
_CALLS: dict[str, tuple[Any, list[Any]]] = {
    "wn_shapes": (ctypes.c_char_p, []),
    "wn_prepare": (_INT, []),
    "wn_model_bytes": (ctypes.c_int64, []),
    "wn_state_bytes": (ctypes.c_int64, []),
    "wn_tile": (_INT, []),
    "wn_generate": (None, [_POINTER, _POINTER, _INT, _POINTER, _INT, _POINTER, _FLOAT, _POINTER]),
    "wn_score": (None, [_POINTER, _POINTER, _INT, _POINTER, _INT, _POINTER, _POINTER]),
    "wn_snapshot": (None, [_POINTER, _POINTER, _POINTER]),
    "wn_restore": (None, [_POINTER, _POINTER, _POINTER]),
}


def compiled(shapes: Shapes, target: tuple[str, ...] | None = None) -> Path:
    """The library of those shapes for this CPU, from the cache or compiled now."""
    compiler = build.find_compiler()
    target = cpu.native_flags() if target is None else target
    parts = [
        compiler.version, *compiler.command, *build.FLAGS, *target, platform.machine(),
        *sorted(cpu.features()), shapes.header(),
        *(path.read_text("utf-8") for path in build.source_files()),
    ]  # fmt: skip
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    return cache.cached(key, lambda out: build.compile_library(compiler, target, shapes, out))


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
    def model_bytes(self) -> int:
        """Size of the packed weights."""
        return int(self._c.wn_model_bytes())

    def model(self, weights: Weights) -> NDArray[np.uint8]:
        """The packed weights; `weights` have been checked against the spec."""
        shapes = self.shapes
        packed = pack(shapes.spec, weights, shapes.precision, self._c.wn_tile())
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
        uniforms: NDArray[np.float32],
        temperature: float,
    ) -> NDArray[np.int32]:
        """See wn_generate. uniforms (P, B), bias (P or 1, L, B, G) or None -> classes (P, B)."""
        steps = len(uniforms)
        uniforms = self._array(uniforms, np.float32, (steps, self.shapes.batch))
        classes = np.empty((steps, self.shapes.batch), np.int32)
        bias = self._bias(bias, steps)
        self._check(model, state)
        # The largest float32 stands for the inverse of temperatures that have none.
        inverse = 0.0 if temperature == 0 else min(1 / temperature, _LARGEST)
        changes = 1 if bias is None else len(bias)
        self._c.wn_generate(
            _address(model), _address(state), steps, _address(bias), changes,
            _address(uniforms), inverse, _address(classes),
        )  # fmt: skip
        return classes

    def score(
        self,
        model: NDArray[np.uint8],
        state: NDArray[np.uint8],
        bias: NDArray[np.float32] | None,
        samples: NDArray[np.int32],
    ) -> NDArray[np.float32]:
        """See wn_score. samples (T, B) -> logits (T, B, A)."""
        steps = len(samples)
        samples = self._samples(samples, (steps, self.shapes.batch))
        logits = np.empty((steps, self.shapes.batch, self.shapes.spec.classes), np.float32)
        bias = self._bias(bias, steps)
        self._check(model, state)
        changes = 1 if bias is None else len(bias)
        self._c.wn_score(
            _address(model), _address(state), steps, _address(bias), changes,
            _address(samples), _address(logits),
        )  # fmt: skip
        return logits

    def snapshot(self, state: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """samples (k0, B) and lines ((k-1) * sum(d), B, R), oldest first."""
        spec, batch = self.shapes.spec, self.shapes.batch
        samples = np.empty((spec.input_kernel, batch), np.int32)
        lines = np.empty((spec.state_rows, batch, spec.residual), np.float32)
        self._expect(state, self._c.wn_state_bytes(), "state")
        self._c.wn_snapshot(_address(state), _address(samples), _address(lines))
        return samples, lines

    def restore(
        self,
        state: NDArray[np.uint8],
        samples: NDArray[np.int32],
        lines: NDArray[np.float32],
    ) -> None:
        """The inverse of `snapshot`."""
        spec, batch = self.shapes.spec, self.shapes.batch
        samples = self._samples(samples, (spec.input_kernel, batch))
        lines = self._array(lines, np.float32, (spec.state_rows, batch, spec.residual))
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
        spec = self.shapes.spec
        shape = (1 if len(bias) == 1 else steps, spec.layers, self.shapes.batch, spec.gate)
        checked: NDArray[np.float32] = self._array(bias, np.float32, shape)
        return checked

    def _samples(self, given: Any, shape: tuple[int, ...]) -> NDArray[np.int32]:
        samples: NDArray[np.int32] = self._array(given, np.int32, shape)
        classes = self.shapes.spec.classes
        if samples.size and not 0 <= samples.min() <= samples.max() < classes:
            raise WavestepError(
                f"samples are {samples.min()} to {samples.max()}; this model's classes are 0 to "
                f"{classes - 1}"
            )
        return samples

    @staticmethod
    def _array(array: Any, kind: Any, shape: tuple[int, ...]) -> Any:
        array = np.ascontiguousarray(array, kind)
        if array.shape != shape:
            raise WavestepError(f"an array is {array.shape}; this call takes {shape}")
        return array


def _address(array: NDArray[Any] | None) -> int | None:
    return None if array is None else array.ctypes.data
