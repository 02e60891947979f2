"""What every engine does, and what they share: checks, slots, temperatures.

Arrays are NumPy, time first and streams second. `bias` is the conditioning of the gates as the
conditioner makes it: (N, L, B, G) float32 for a block of P samples, N a divisor of P, each row
held for P/N samples; None for a model without conditioning. Engines that say so (`mixes`) take it
as `Mixed`, too: what such rows are mixed from.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, overload

import numpy as np
from numpy.typing import NDArray

from wn_runtime import arguments
from wn_runtime.conditioning.conditioner import AnyBias, Bias
from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import UNIFORM_BITS, Samples, inverse_temperatures
from wn_runtime.model import layout as layouts
from wn_runtime.model import state as states
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import State

Temperature = float | Sequence[float]
"""One for all streams, or one each."""


class Engine(ABC):
    """A model bound to B streams on one device. `generate` and `score` both move the state on.

    An engine gives `_generate`, `_score`, `_snapshot` and `_restore`; what they are called with
    has been checked. Each stream is a slot, with its own state, temperature and uniforms.
    """

    mixes: ClassVar[bool] = False
    """Whether `_generate` and `_score` take a bias as `Mixed`, too."""

    def __init__(self, name: str, precision: str, spec: ModelSpec, batch: int, note: str) -> None:
        self.name = name
        """The name of its kind: `onnx`, `native`, …"""
        self.precision = precision
        """`fp32`, `fp16`, `bf16` or `int8`."""
        self.spec = spec
        self.batch = batch
        """B."""
        self.note = note
        """How it runs, for the line a command prints: `1 thread`, `CPUExecutionProvider`."""
        self.threads = 1
        """Of the CPU, that it computes with."""
        self._process: int | None = os.getpid()
        """Where it was opened; None once it is closed."""

    def generate(
        self, bias: AnyBias, uniforms: NDArray[np.int32], temperature: Temperature = 1.0
    ) -> Samples:
        """Continue every stream by P samples: uniforms (P, B, U), integers of 24 bits -> (P, B).

        Raises WavestepError for arrays of another shape, and for a negative temperature.
        """
        self._check_open()
        expected = (self.batch, self.spec.output.uniforms)
        uniforms = arguments.array("uniforms", uniforms, "iu")
        if uniforms.ndim != 3 or uniforms.shape[1:] != expected:
            raise WavestepError(
                f"uniforms are {uniforms.shape}; this engine takes (samples, "
                f"{expected[0]}, {expected[1]})"
            )
        if uniforms.size and not 0 <= uniforms.min() <= uniforms.max() < 1 << UNIFORM_BITS:
            raise WavestepError(
                f"uniforms are {uniforms.min()} to {uniforms.max()}; give integers of "
                f"{UNIFORM_BITS} bits"
            )
        checked = self._checked_bias(len(uniforms), bias)
        inverse = inverse_temperatures(temperature, self.batch)
        return self._generate(checked, uniforms.astype(np.int32, copy=False), inverse)

    def score(self, samples: Samples, bias: AnyBias) -> NDArray[np.float32]:
        """Teacher forcing: samples (T, B) -> params (T, B, A), the prediction of each of them.

        Row t has seen the state and samples[:t]; afterwards the state has seen them all. Raises
        WavestepError for arrays of another shape, and for samples that the head has none of.
        """
        self._check_open()
        samples = arguments.array("samples", samples)
        if samples.ndim != 2 or samples.shape[1] != self.batch:
            raise WavestepError(f"samples are {samples.shape}; this engine takes (T, {self.batch})")
        checked = self._checked_bias(len(samples), bias)
        return self._score(self.spec.output.check(samples), checked)

    def snapshot(self, slots: Sequence[int] | None = None) -> State:
        """A copy of the state of all streams, or of those named; later calls leave it alone."""
        self._check_open()
        state = self._snapshot()
        if slots is None:
            return state
        return states.take(state, states.check_slots(slots, self.batch))

    def restore(self, state: State, slots: Sequence[int] | None = None) -> None:
        """Go on from `state`: all streams, or those named, which it then holds the state of.

        Raises WavestepError when its names or shapes are another model's; nothing changes then.
        """
        self._check_open()
        chosen = states.check_slots(slots, self.batch)
        state = layouts.check(state, self.spec, len(chosen))
        if slots is not None:
            state = states.put(self._snapshot(), chosen, state)
        self._restore(state)

    def reset(self, slots: Sequence[int] | None = None) -> None:
        """Back to silence: all streams, or those named."""
        count = self.batch if slots is None else len(slots)
        self.restore(layouts.initial(self.spec, count), slots)

    def close(self) -> None:
        """Give back what the engine holds (memory, device); it cannot be used afterwards."""
        if self._process is not None:
            self._process = None
            self._close()

    def _checked_bias(self, steps: int, bias: AnyBias) -> Any:
        """The bias of a block as this engine takes it: `Mixed` where it mixes alone."""
        bias = check_bias(self.spec, self.batch, steps, bias)
        return bias.dense() if isinstance(bias, Mixed) and not self.mixes else bias

    def _check_open(self) -> None:
        here = os.getpid()
        if self._process != here:
            if self._process is None:
                raise WavestepError("this engine is closed; open the model again")
            self._forked()
            self._process = here

    def _forked(self) -> None:  # noqa: B027 (most need nothing)
        """Called once in a process that was forked off after the engine was opened.

        Threads do not come along, nor does a GPU's context. Raises WavestepError where the engine
        cannot go on there.
        """

    def _close(self) -> None:  # noqa: B027 (many have nothing to give back)
        """`close`, called once."""

    @abstractmethod
    def _generate(
        self, bias: Bias, uniforms: NDArray[np.int32], inverse_temperature: NDArray[np.float32]
    ) -> Samples:
        """`generate`, with 1/T of each stream (B,); 0 stands for temperature 0."""

    @abstractmethod
    def _score(self, samples: Samples, bias: Bias) -> NDArray[np.float32]:
        """`score`."""

    @abstractmethod
    def _snapshot(self) -> State:
        """A copy of the whole state."""

    @abstractmethod
    def _restore(self, state: State) -> None:
        """Take over a whole state."""


def check_bias(spec: ModelSpec, streams: int, steps: int, bias: AnyBias) -> AnyBias:
    """The bias of a block of `steps` samples of this model. Raises WavestepError for another."""
    if not spec.conditioning:
        if bias is not None:
            raise WavestepError("this model has no conditioning; its bias must be None")
        return None
    shape = (spec.layers, streams, spec.gate_channels)
    if isinstance(bias, Mixed):
        mixed = Mixed(arguments.array("bias", bias.rows), arguments.array("mix", bias.mix))
        if not mixed.fits(shape, steps):
            raise WavestepError(
                f"bias is {mixed.rows.shape} and its mix {mixed.mix.shape}; this block takes "
                f"(frames, parts, {str(shape)[1:]} and ({steps}, {streams}, parts)"
            )
        return mixed
    if bias is not None:
        bias = arguments.array("bias", bias)
    if bias is None or bias.shape[1:] != shape:
        found = "None" if bias is None else bias.shape
        raise WavestepError(f"bias is {found}; this block takes (rows, {str(shape)[1:]}")
    if not len(bias) or steps % len(bias):
        raise WavestepError(
            f"bias has {len(bias)} rows; their number must divide the block's {steps} samples"
        )
    return bias


def padded(array: Any, axis: int, width: int) -> Any:
    """Zeros for the streams that fill an array up to `width` on that axis; None stays None."""
    if array is None or array.shape[axis] == width:
        return array
    missing = width - array.shape[axis]
    return np.pad(array, [(0, missing if i == axis else 0) for i in range(array.ndim)])


@overload
def of_streams(bias: Bias, streams: slice | list[int]) -> Bias: ...


@overload
def of_streams(bias: AnyBias, streams: slice | list[int]) -> AnyBias: ...


def of_streams(bias: AnyBias, streams: slice | list[int]) -> AnyBias:
    """The bias of some of the streams."""
    if isinstance(bias, Mixed):
        return bias.streams(streams)
    return None if bias is None else bias[:, :, streams]


def threads_note(threads: int) -> str:
    """`1 thread`, `4 threads`."""
    return f"{threads} thread{'s' * (threads != 1)}"
