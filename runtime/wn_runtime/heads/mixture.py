"""Mixtures over 16-bit samples: what the logistic and the Gaussian head share.

params (…, 3M): the logits of M components, their means and the logarithms of their scales, in that
order; (…, 2) for one component, which has no logit. A sample is an amplitude k / 32768. Its
probability is the mass of the components between the middles to its neighbours; the two end samples
have the open tails, so that the mass of all 65,536 is exactly 1 (PixelCNN++, Salimans et al. 2017,
section 2.1, with tails at the ends only).

Of a draw's two integers of 24 bits, the first is the quantile of the amplitude, at the middle of
its interval, and the second picks the component as `softmax` picks a class. A temperature T divides
the logits and multiplies the scales; 0 is the mean of the likeliest component.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.errors import WavestepError
from wn_runtime.heads import companding, pcm16
from wn_runtime.heads.head import UNIFORM_BITS, Draw, Head, Samples
from wn_runtime.heads.softmax import NOT_NUMBERS, Softmax

MOST_COMPONENTS = 256
LOG_SCALES = (-16.0, 7.0)
"""A scale from a 300th of a 16-bit step to 1000 times full scale: beyond, nothing changes."""
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Mixture(Head):
    """M components of one family."""

    components: int = 10
    """M."""
    min_log_scale: float = -9.0
    """Smaller log scales count as this one: 4 steps of 16 bits."""
    mu: int = 0
    """mu of the mu-law curve that amplitudes lie on (r9y9's input_type "mulaw"), and the grid of 16
    bits with them; 0: none."""

    uniforms: ClassVar[int] = 2
    rounding: ClassVar[float] = pcm16.STEP
    sample_dtype: ClassVar[np.dtype[Any]] = np.dtype(np.float32)

    def __post_init__(self) -> None:
        if not 1 <= self.components <= MOST_COMPONENTS:
            raise ValueError(f"components is {self.components}; it must be 1 to {MOST_COMPONENTS}")
        if not LOG_SCALES[0] <= self.min_log_scale <= 0:
            raise ValueError(
                f"min_log_scale is {self.min_log_scale}; it must be {LOG_SCALES[0]:g} to 0"
            )
        if not 0 <= self.mu < 65536:
            raise ValueError(f"mu is {self.mu}; it must be 0 (no companding) to 65535")

    @abstractmethod
    def quantile(self, odd: NDArray[np.int32]) -> NDArray[np.float32]:
        """The standard distribution's quantile at odd / 2^25, odd integers below 2^25."""

    @abstractmethod
    def log_mass(self, low: Doubles, high: Doubles) -> Doubles:
        """ln of the standard distribution's mass from `low` to `high`; one may be infinite."""

    @property
    def params(self) -> int:
        """A."""
        return 3 * self.components if self.components > 1 else 2

    @property
    def input_channels(self) -> int:
        """Amplitudes."""
        return 1

    @property
    def silence(self) -> float:
        """Amplitude 0."""
        return 0.0

    def encode(self, audio: NDArray[np.floating[Any]]) -> Samples:
        """See `Head.encode`: the nearest 16-bit samples."""
        return pcm16.encode(companding.compressed(audio, self.mu) if self.mu else audio)

    def decode(self, samples: Samples) -> NDArray[np.float32]:
        """See `Head.decode`: they are amplitudes, or lie on their curve."""
        audio: Samples = companding.expanded(samples, self.mu) if self.mu else samples
        return audio.astype(np.float32)

    def levels(self, samples: Samples) -> NDArray[np.int64]:
        """See `Head.levels`: on a curve, as many as its step is wide; 1 where it is narrower."""
        if not self.mu:
            return super().levels(samples)
        edges = np.multiply.outer(samples.astype(np.float64), [1, 1])
        edges = np.clip(edges + np.array([-0.5, 0.5]) * pcm16.STEP, -1, 1)
        width = np.diff(companding.expanded(edges, self.mu), axis=-1)[..., 0]
        wide: NDArray[np.int64] = np.maximum(np.rint(width / pcm16.STEP), 1).astype(np.int64)
        return wide

    def drawer(self, params: NDArray[np.float32], inverse_temperature: NDArray[np.float32]) -> Draw:
        """See `Head.drawer`."""
        many, streams = self.components > 1, len(params)
        warm = inverse_temperature > 0
        temperature = np.where(warm, 1 / np.where(warm, inverse_temperature, 1), 0)
        temperature = temperature.astype(np.float32)
        logits, means, log_scales = self._split(params)
        pick = Softmax(self.components).drawer(logits, inverse_temperature) if many else None
        drawn, rows = np.zeros(streams, np.int32), np.arange(streams)
        lowest, most = np.float32(self.min_log_scale), np.float32(LOG_SCALES[1])

        def draw(uniforms: NDArray[np.int32], out: NDArray[Any]) -> None:
            if pick is not None:
                pick(uniforms[:, 1:], drawn)
            scale = np.exp(np.clip(log_scales[rows, drawn], lowest, most))
            x = means[rows, drawn] + scale * temperature * self.quantile(2 * uniforms[:, 0] + 1)
            if not np.isfinite(x).all():
                raise WavestepError(NOT_NUMBERS)
            out[:] = np.clip(np.rint(x * pcm16.SCALE) / pcm16.SCALE, pcm16.LOWEST, pcm16.HIGHEST)

        return draw

    def bits(self, params: NDArray[np.float32], samples: Samples) -> NDArray[np.float32]:
        """See `Head.bits`: of the 16-bit sample."""
        logits, means, log_scales = self._split(params.astype(np.float64))
        scales = np.exp(np.clip(log_scales, self.min_log_scale, LOG_SCALES[1]))
        x = samples.astype(np.float64)[..., None]
        low = np.where(x <= pcm16.LOWEST, -np.inf, (x - pcm16.STEP / 2 - means) / scales)
        high = np.where(x >= pcm16.HIGHEST, np.inf, (x + pcm16.STEP / 2 - means) / scales)
        weights = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        nats = -np.logaddexp.reduce(weights + self.log_mass(low, high), axis=-1)
        bits: NDArray[np.float32] = (nats / np.log(2)).astype(np.float32)
        return bits

    def margin(
        self, params: NDArray[np.float32], uniforms: NDArray[np.int32], one: Any, other: Any
    ) -> float:
        """The error of the params that leads from the one sample to the other.

        By the mean and scale of the component drawn, beyond the step that rounding decides; or by
        the logits, to another component.
        """
        logits, _, log_scales = self._split(params)
        odd = 2 * uniforms[:1] + 1
        scales = np.exp(np.clip(log_scales, self.min_log_scale, LOG_SCALES[1]))
        reach = 1 + float((scales * abs(self.quantile(odd))).max())
        apart = max(0.0, abs(float(one) - float(other)) - 1.001 * pcm16.STEP) / reach
        if self.components == 1:
            return apart
        weights = np.exp(logits.astype(np.float64) - logits.max())
        edges = np.cumsum(weights)[:-1] / weights.sum()
        uniform = (int(uniforms[1]) + 0.5) / 2**UNIFORM_BITS
        return min(apart, float(np.abs(edges - uniform).min()) / 2)

    def float_error(self, params_error: float) -> float:
        """Beside the params' own error, that of the weights' rounding."""
        return params_error + (self.components + 4) * 2.0**-24

    def constants(self) -> Mapping[str, int | str]:
        """See `Head.constants`."""
        lowest, most = (
            float(np.float32(x)).hex() + "f" for x in (self.min_log_scale, LOG_SCALES[1])
        )
        return {"COMPONENTS": self.components, "MIN_LOG_SCALE": lowest, "MAX_LOG_SCALE": most}

    def source(self, suffix: str) -> str | None:
        """See `Head.source`: the family's quantile, then the draw of all."""
        family, shared = super().source(suffix), Path(__file__).with_name("mixture" + suffix)
        return None if family is None else family + shared.read_text("utf-8")

    def _split(self, params: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Logits, means and log scales, (…, M) each; one component's logit is 0."""
        m = self.components
        if m == 1:
            return np.zeros_like(params[..., :1]), params[..., :1], params[..., 1:]
        return params[..., :m], params[..., m : 2 * m], params[..., 2 * m :]
