"""Streams of a loaded wavenet.c: the one place where Python's arrays meet C's pointers."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import AnyBias
from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.conditioning.part import Rows
from wn_runtime.engines.native.pack import aligned_zeros
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.engines.native.team import Team
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model.layout import initial
from wn_runtime.model.state import DELAY_LINES, SAMPLES, State

Packed = NDArray[np.uint8]
"""The weights as wavenet.c reads them."""


class Streams:
    """B streams that one call moves on together: their state, and the weights they read."""

    def __init__(
        self, library: ctypes.CDLL, shapes: Shapes, model: Packed, helpers: int = 0
    ) -> None:
        """Raises WavestepError for packed weights that are not what the library reads."""
        self._c, self._shapes = library, shapes
        size = library.wn_model_bytes()
        if model.nbytes != size or _address(model) % 64 or not model.flags.c_contiguous:
            raise WavestepError(
                f"the packed weights have {model.nbytes} bytes, the library reads {size}; "
                "export the model again"
            )
        self._model, self._state = model, aligned_zeros(library.wn_state_bytes())
        # Looking up an address takes a microsecond: as long as a small model's step.
        self._addresses = _address(self._model), _address(self._state)
        self.restore(initial(shapes.spec, shapes.batch))
        self._helpers = helpers
        self._team = Team(library, self._model, self._state, helpers) if helpers else None

    @property
    def missed(self) -> int:
        """Shares that helpers came too late for; a sample has one for each helper."""
        return int(self._c.wn_missed(self._addresses[1]))

    def close(self) -> None:
        """Send the helpers home; nothing else may be called afterwards."""
        if self._team is not None:
            self._team.dismiss()

    def forked(self) -> None:
        """In a process that was forked off: the helpers stayed behind."""
        if self._team is not None:
            self._team.forked()

    def generate(
        self, bias: AnyBias, uniforms: NDArray[np.int32], inverse_temperature: NDArray[np.float32]
    ) -> Samples:
        """See wn_generate. uniforms (P, B, U), inverse_temperature (B,) -> samples (P, B)."""
        steps, batch, head = len(uniforms), self._shapes.batch, self._shapes.spec.output
        uniforms = _array(uniforms, np.int32, (steps, batch, head.uniforms))
        inverse = _array(inverse_temperature, np.float32, (batch,))
        samples = np.empty((steps, batch), head.sample_dtype)
        given = self._bias(bias, steps)
        self._c.wn_generate(
            *self._addresses,
            self._helpers,
            steps,
            *_bias_arguments(given),
            _address(uniforms),
            _address(inverse),
            _address(samples),
        )
        return samples

    def score(self, bias: AnyBias, samples: Samples) -> NDArray[np.float32]:
        """See wn_score. samples (T, B) -> params (T, B, A)."""
        steps, batch = len(samples), self._shapes.batch
        samples = self._samples(samples, (steps, batch))
        params = np.empty((steps, batch, self._shapes.spec.output.params), np.float32)
        given = self._bias(bias, steps)
        self._c.wn_score(
            *self._addresses,
            self._helpers,
            steps,
            *_bias_arguments(given),
            _address(samples),
            _address(params),
        )
        return params

    def snapshot(self) -> State:
        """The arrays of `model.layout`."""
        arrays = initial(self._shapes.spec, self._shapes.batch)
        self._c.wn_snapshot(
            self._addresses[1], _address(arrays[SAMPLES]), _address(arrays[DELAY_LINES])
        )
        return arrays

    def restore(self, arrays: State) -> None:
        """The inverse of `snapshot`."""
        spec, batch = self._shapes.spec, self._shapes.batch
        samples = self._samples(arrays[SAMPLES], (spec.input_kernel, batch))
        shape = (spec.state_rows, batch, spec.residual_channels)
        lines = _array(arrays[DELAY_LINES], np.float32, shape)
        self._c.wn_restore(self._addresses[1], _address(samples), _address(lines))

    def _bias(self, bias: AnyBias, steps: int) -> AnyBias:
        """Itself, as C reads it."""
        if bias is None:
            return None
        spec, batch = self._shapes.spec, self._shapes.batch
        shape = (spec.layers, batch, spec.gate_channels)
        rows = bias.rows if isinstance(bias, Mixed) else bias
        count = len(rows)
        if not count or steps % count:
            raise WavestepError(f"bias has {count} rows for {steps} samples; give a divisor")
        if not isinstance(bias, Mixed):
            whole: Rows = _array(rows, np.float32, (count, *shape))
            return whole
        parts = bias.mix.shape[-1]
        return Mixed(
            _array(rows, np.float32, (count, parts, *shape)),
            _array(bias.mix, np.float32, (steps, batch, parts)),
        )

    def _samples(self, given: Any, shape: tuple[int, ...]) -> Samples:
        head = self._shapes.spec.output
        samples: Samples = _array(head.check(given), head.sample_dtype, shape)
        return samples


def _array(array: Any, kind: Any, shape: tuple[int, ...]) -> Any:
    array = np.ascontiguousarray(array, kind)
    if array.shape != shape:
        raise WavestepError(f"an array is {array.shape}; this call takes {shape}")
    return array


def _bias_arguments(bias: AnyBias) -> tuple[int | None, int, int | None, int]:
    """The four of C that a bias is: rows and their number, mix and its parts."""
    if bias is None:
        return None, 1, None, 1
    if isinstance(bias, Mixed):
        return _address(bias.rows), len(bias.rows), _address(bias.mix), bias.mix.shape[2]
    return _address(bias), len(bias), None, 1


def _address(array: NDArray[Any]) -> int:
    return array.ctypes.data
