"""What a model's output means: how `params` become a sample, and what a sample is to the network.

A head is a value: a frozen dataclass that stands in the spec (`ModelSpec.output`, a tagged union)
and has everything that depends on it. Beside its Python file lie its code in C (`<kind>.h`, for
the native engine) and in CUDA (`<kind>.cuh`, for the device loop); its training loss is in
wn_train/heads. docs/add-a-head.md goes through all of them.
"""

from __future__ import annotations

import functools
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime import arguments
from wn_runtime.errors import WavestepError

Samples = NDArray[Any]
"""Of the head's `sample_dtype`."""
Draw = Callable[[NDArray[np.int32], NDArray[Any]], None]
"""uniforms (B, U) -> samples (B,), in place."""

UNIFORM_BITS = 24
"""A uniform is an integer u of so many bits; it stands for u / 2^24 in [0, 1)."""
STEEPEST = 2.0**100
"""1/T of every temperature below 2^-100: so steep that only equals share the draw. Above 2^100 all
classes are alike; both are far inside float32."""


class Head(ABC):
    """The meaning of `params` (…, A): a distribution over the next sample."""

    kind: ClassVar[str]
    """Its name in specs and file names."""
    uniforms: ClassVar[int] = 1
    """U: uniforms that one draw uses."""
    rounding: ClassVar[float] = 0.0
    """How far apart samples may be that differ by the rounding of an amplitude alone."""
    sample_dtype: ClassVar[np.dtype[Any]]
    """int32: samples are classes, fed back one-hot. float32: amplitudes, fed back as they are."""

    @property
    @abstractmethod
    def params(self) -> int:
        """A: channels of `params`."""

    @property
    @abstractmethod
    def input_channels(self) -> int:
        """Rows of a tap of `input.weight`: the classes, or 1 for amplitudes."""

    @property
    @abstractmethod
    def silence(self) -> int | float:
        """The sample of amplitude 0: what comes before a stream's first sample."""

    @abstractmethod
    def encode(self, audio: NDArray[np.floating[Any]]) -> Samples:
        """Audio in [-1, 1] (beyond: clipped) to the nearest samples."""

    @abstractmethod
    def decode(self, samples: Samples) -> NDArray[np.float32]:
        """Samples to audio in [-1, 1]. `decode(encode(x))` is nearest to x."""

    @abstractmethod
    def drawer(self, params: NDArray[np.float32], inverse_temperature: NDArray[np.float32]) -> Draw:
        """A draw for B streams, bound to the memory (B, A) where `params` will be.

        inverse_temperature (B,): 1/T of each stream; 0 asks for the likeliest sample. It is read
        now. The draw allocates nothing.
        """

    @abstractmethod
    def bits(self, params: NDArray[np.float32], samples: Samples) -> NDArray[np.float32]:
        """-log2 p of each sample (…) under params (…, A): float32 (…), summed in float64."""

    @abstractmethod
    def margin(
        self, params: NDArray[np.float32], uniforms: NDArray[np.int32], one: Any, other: Any
    ) -> float:
        """How far apart two draws with the same uniforms (U,) from about these params (A,) are.

        The smallest change that makes the one sample of the other, in the unit of `float_error`.
        """

    @abstractmethod
    def float_error(self, params_error: float) -> float:
        """The margin that params off by `params_error` can explain, rounding included."""

    def levels(self, samples: Samples) -> NDArray[np.int64]:
        """How many 16-bit samples each sample (…) stands for: 1 on their grid.

        bits + log2(levels) are bits per 16-bit sample, which compare from head to head.
        """
        return np.ones(samples.shape, np.int64)

    @property
    def codes(self) -> int | None:
        """Number of classes where samples are classes, else None."""
        return self.input_channels if self.sample_dtype.kind == "i" else None

    def check(self, samples: Samples, what: str = "samples") -> Samples:
        """The samples as `sample_dtype`. Raises WavestepError for what the head cannot mean."""
        array = arguments.array(what, samples, "iu" if self.codes is not None else "fiu")
        if array.size and self.codes is not None:
            low, high = array.min(), array.max()
            if not 0 <= low <= high < self.codes:
                raise WavestepError(
                    f"{what} are {low} to {high}; this model's classes are 0 to {self.codes - 1}"
                )
        elif array.size and not np.isfinite(array).all():
            raise WavestepError(f"{what} hold NaN or infinity")
        checked: Samples = array.astype(self.sample_dtype, copy=False)
        return checked

    def constants(self) -> Mapping[str, int | str]:
        """Macros for the C and CUDA code, beyond UNIFORMS and PARAMS, and in C CODES."""
        return {}

    def source(self, suffix: str) -> str | None:
        """The text of `<kind><suffix>` beside the head's module; None where there is none."""
        module = sys.modules[type(self).__module__]
        path = Path(str(module.__file__)).with_name(self.kind + suffix)
        try:
            return path.read_text("utf-8")
        except FileNotFoundError:
            return None


def inverse_temperatures(temperature: Any, streams: int) -> NDArray[np.float32]:
    """1/T of each stream (B,) float32 from one temperature or B of them; 0 for temperature 0.

    Raises WavestepError for a temperature that is negative or not finite.
    """
    if isinstance(temperature, (int, float, str, bytes)) or np.ndim(temperature) == 0:
        return _same_for_all(arguments.real("temperature", temperature), streams)
    values = arguments.array("temperature", temperature).astype(np.float64)
    if values.shape != (streams,):
        raise WavestepError(
            f"temperature has shape {values.shape}; give one, or one for each of {streams} streams"
        )
    return np.array([_inverse(float(value)) for value in values], np.float32)


@functools.lru_cache
def _same_for_all(temperature: float, streams: int) -> NDArray[np.float32]:
    inverse = np.full(streams, _inverse(temperature), np.float32)
    inverse.flags.writeable = False
    return inverse


def _inverse(temperature: float) -> float:
    if not 0 <= temperature < math.inf:
        raise WavestepError(
            f"temperature is {temperature:g}; it must be 0 (always the likeliest) or more"
        )
    return 0.0 if temperature == 0 else 1 / min(max(temperature, 1 / STEEPEST), STEEPEST)
