"""A categorical distribution over classes (WaveNet, section 2.2), drawn on integers.

w[c] = round(2^22 * exp((logit[c] - max) / T)), ties to even, and u an integer of 24 bits: the
class is the first whose cumulative w exceeds (u * sum w) >> 24. Sums of integers do not depend on
their order, so every engine, and any parallel scan, draws the same class from the same w. What may
differ between engines is a single w, by the rounding of its exponential. Temperature 0 is argmax,
the lowest of equals.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.errors import WavestepError, unknown
from wn_runtime.heads import linear, mulaw, mulaw_floor, pcm16
from wn_runtime.heads.head import UNIFORM_BITS, Draw, Head, Samples

TWO, TWO_BITS = np.float32(2), np.int32(0x40000000)
"""Floats from 2 to 4 lie 2^-22 apart: 2 + e, rounded, has the bits of 2 plus round(2^22 * e)."""
CODINGS = {"mu-law": mulaw, "mu-law-floor": mulaw_floor, "linear": linear}
NOT_NUMBERS = "the logits are not numbers: the network overflows in this precision; use fp32"


@dataclass(frozen=True)
class Softmax(Head):
    """`params` are the logits of the classes."""

    classes: int = 256
    """A."""
    coding: str = "mu-law"
    """How classes lie in amplitude, one of CODINGS."""

    kind: ClassVar[str] = "softmax"
    sample_dtype: ClassVar[np.dtype[Any]] = np.dtype(np.int32)

    def __post_init__(self) -> None:
        if not 2 <= self.classes <= 65536:
            raise ValueError(f"classes is {self.classes}; it must be 2 to 65536")
        if self.coding not in CODINGS:
            raise ValueError(unknown("coding", self.coding, CODINGS))

    @property
    def params(self) -> int:
        """A."""
        return self.classes

    @property
    def input_channels(self) -> int:
        """A."""
        return self.classes

    @property
    def silence(self) -> int:
        """The class of the zero sample."""
        silence: int = CODINGS[self.coding].silence(self.classes)
        return silence

    def encode(self, audio: NDArray[np.floating[Any]]) -> Samples:
        """See `Head.encode`."""
        samples: Samples = CODINGS[self.coding].encode(audio, self.classes)
        return samples

    def decode(self, samples: Samples) -> NDArray[np.float32]:
        """See `Head.decode`."""
        audio: NDArray[np.float32] = CODINGS[self.coding].decode(samples, self.classes)
        return audio

    def levels(self, samples: Samples) -> NDArray[np.int64]:
        """See `Head.levels`."""
        return _levels(self)[samples]

    def drawer(self, params: NDArray[np.float32], inverse_temperature: NDArray[np.float32]) -> Draw:
        """See `Head.drawer`."""
        if len(params) == 1 and inverse_temperature[0] > 0:
            return _draw_one(params[0], inverse_temperature[0])
        return _draw_many(params, inverse_temperature.copy())

    def bits(self, params: NDArray[np.float32], samples: Samples) -> NDArray[np.float32]:
        """See `Head.bits`."""
        shifted = params.astype(np.float64) - params.max(axis=-1, keepdims=True)
        chosen = np.take_along_axis(shifted, samples[..., None].astype(np.intp), axis=-1)[..., 0]
        nats = np.log(np.exp(shifted).sum(axis=-1)) - chosen
        bits: NDArray[np.float32] = (nats / np.log(2)).astype(np.float32)
        return bits

    def margin(
        self, params: NDArray[np.float32], uniforms: NDArray[np.int32], one: Any, other: Any
    ) -> float:
        """The distance of the uniform, in [0, 1), to the nearest boundary between the classes."""
        logits = params.astype(np.float64)
        below = np.cumsum(np.exp(logits - logits.max()))
        edges = below[min(one, other) : max(one, other)] / below[-1]
        uniform = (int(uniforms[0]) + 0.5) / 2**UNIFORM_BITS
        return float(np.abs(edges - uniform).min()) if len(edges) else 0.0

    def float_error(self, params_error: float) -> float:
        """Errors of logits move a boundary by at most twice their size; each w is rounded."""
        return 2 * params_error + (self.classes + 4) * 2.0**-23


def _draw_one(row: NDArray[np.float32], inverse: np.float32) -> Draw:
    """One stream's draw.

    Between two steps of a network NumPy's code has left the caches, so for one stream, where the
    draw is most of what comes on top of the network, every call and look-up is worth saving.
    """
    classes = len(row)
    weights = np.empty(classes, np.float32)
    bits, sums = weights.view(np.int32), np.empty(classes, _sum_type(classes))
    threshold = np.empty(1, sums.dtype)
    likeliest, above, sum_at, last = row.argmax, sums.searchsorted, sums.item, classes - 1
    subtract, multiply, exp, add, accumulate = (
        np.subtract,
        np.multiply,
        np.exp,
        np.add,
        np.add.accumulate,
    )
    scales = inverse != 1

    def draw(uniforms: NDArray[np.int32], out: NDArray[Any]) -> None:
        most = row[likeliest()]
        if not isfinite(most):
            raise WavestepError(NOT_NUMBERS)
        subtract(row, most, weights)
        if scales:
            multiply(weights, inverse, weights)
        exp(weights, weights)
        add(weights, TWO, weights)
        subtract(bits, TWO_BITS, bits)
        accumulate(bits, 0, None, sums)
        threshold[0] = (uniforms.item(0) * sum_at(last)) >> UNIFORM_BITS
        out[:] = above(threshold, "right")

    return draw


def _draw_many(params: NDArray[np.float32], inverse: NDArray[np.float32]) -> Draw:
    """Every stream's draw, side by side."""
    streams, classes = params.shape
    weights = np.empty((streams, classes), np.float32)
    bits, sums = weights.view(np.int32), np.empty((streams, classes), _sum_type(classes))
    most, total = np.empty((streams, 1), np.float32), np.empty((streams, 1), np.int64)
    above, drawn = np.empty((streams, classes), np.bool_), np.empty(streams, np.int64)
    greedy, factor = inverse == 0, inverse[:, None]

    def draw(uniforms: NDArray[np.int32], out: NDArray[Any]) -> None:
        np.maximum.reduce(params, axis=1, keepdims=True, out=most)
        if not np.isfinite(most).all():
            raise WavestepError(NOT_NUMBERS)
        np.subtract(params, most, out=weights)
        np.multiply(weights, factor, out=weights)
        np.exp(weights, out=weights)
        np.add(weights, TWO, out=weights)
        np.subtract(bits, TWO_BITS, out=bits)
        np.add.accumulate(bits, axis=1, out=sums)
        np.multiply(sums[:, -1:], uniforms, out=total, dtype=np.int64)
        np.right_shift(total, UNIFORM_BITS, out=total)
        np.greater(sums, total, out=above)
        above.argmax(axis=1, out=drawn)
        if greedy.any():
            np.copyto(drawn, params.argmax(axis=1), where=greedy)
        out[:] = drawn

    return draw


@functools.lru_cache
def _levels(head: Softmax) -> NDArray[np.int64]:
    """Of each class, (A,), at least 1: of many mu-law classes those near silence have none."""
    counts = np.bincount(head.encode(pcm16.every()), minlength=head.classes)
    return np.maximum(counts, 1)


def _sum_type(classes: int) -> type[np.signedinteger[Any]]:
    """An integer that holds the sum of every class's largest weight."""
    return np.int32 if classes * 2**22 < 2**31 else np.int64
