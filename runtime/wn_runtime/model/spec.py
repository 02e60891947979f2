"""What a model is: its shapes, its output and its conditions, apart from its weights.

Symbols (L, k, k0, R, G, S, H, A) are those of the layer equation:

    a[t] = sum_{j=0}^{k-1} h[t - j*d] @ Wgate[j] + bgate + bias[t]
    z[t] = tanh(a[:G/2]) * sigmoid(a[G/2:])
    skip += z @ Wskip
    h_next[t] = (z @ Wres + bres + h[t]) * residual_scale

(van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016, sections 2.1 to 2.5.)
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.registry import CONDITIONERS
from wn_runtime.conditioning.spec import Condition, ConditionerSpec
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.heads.head import Head, Samples
from wn_runtime.heads.registry import HEADS
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model import ranges, strict
from wn_runtime.model.postprocess import Postprocess

CHANNELS = ("residual_channels", "gate_channels", "skip_channels", "head_channels")
_RANGES = dict.fromkeys(CHANNELS, (1, 2**16)) | {
    "sample_rate": (1, 1_000_000),  # more than any audio file can say
    "kernel": (2, 256),
    "input_kernel": (1, 2**16),
}
MOST_LAYERS, MOST_DILATION = 1024, 2**24
MOST_PARAMETERS = 2**30
"""4 GiB in float32: a hundred times the largest WaveNet that was published."""
MOST_STATE = 2**28
"""Numbers in the delay lines of one stream: 1 GiB, hours of samples."""
MOST_BIAS = 2**28
"""Numbers in the conditioning of a block of one stream: 1 GiB."""
MOST_STREAMS = 2**16
"""Streams side by side, B."""

strict.tagged(Head, HEADS)
strict.tagged(ConditionerSpec, CONDITIONERS)


@dataclass(frozen=True)
class ModelSpec:
    """A WaveNet's shapes. Frozen; `from_dict` is strict, so that a typo cannot pass unseen."""

    sample_rate: int
    """Hz."""
    dilations: tuple[int, ...]
    """One per layer, in samples; their number is L."""
    kernel: int = 2
    """k: taps of each dilated convolution."""
    input_kernel: int = 1
    """k0: taps of the first causal convolution, on the samples before the one predicted."""
    residual_channels: int = 32
    """R."""
    gate_channels: int = 64
    """G: filter and gate together; z has G/2."""
    skip_channels: int = 128
    """S."""
    head_channels: int = 256
    """H: between the two 1x1 output convolutions."""
    residual_scale: float = 1.0
    """Factor on each layer's residual output: 1, or sqrt(1/2) for models trained so."""
    output: Head = field(default_factory=Softmax)
    """What the output means, and so what a sample is."""
    conditioning: tuple[ConditionerSpec, ...] = ()
    """What the gates are conditioned on; the biases are added up."""
    postprocess: Postprocess = field(default_factory=Postprocess)
    """What decoded audio goes through."""

    def __post_init__(self) -> None:
        ranges.check(self, _RANGES)
        if self.gate_channels % 2:
            raise ValueError(
                f"gate_channels is {self.gate_channels}; it must be even (filter and gate halves)"
            )
        if not 1 <= len(self.dilations) <= MOST_LAYERS:
            raise ValueError(
                f"there are {len(self.dilations)} dilations; give 1 to {MOST_LAYERS}, one a layer"
            )
        if min(self.dilations) < 1 or max(self.dilations) > MOST_DILATION:
            raise ValueError(
                f"dilations are from {min(self.dilations)} to {max(self.dilations)}; each must be "
                f"1 to {MOST_DILATION}"
            )
        if not 0 < self.residual_scale <= 2:
            raise ValueError(f"residual_scale is {self.residual_scale}; it must be in (0, 2]")
        names = [condition.name for condition in self.conditions]
        if len(set(names)) != len(names):
            raise ValueError(f"condition names are not unique: {names}")
        framed = {(c.frame_channels, c.hop) for c in self.conditioning if c.frame_channels}
        if len(framed) > 1:
            raise ValueError(
                f"conditioners take frames of different (channels, hop): {sorted(framed)}; "
                "one stream of frames serves them all"
            )
        self._check_conditioning()
        if self.parameters > MOST_PARAMETERS:
            raise ValueError(f"it has {self.parameters} parameters, over {MOST_PARAMETERS}")
        if self.state_rows * self.residual_channels > MOST_STATE:
            raise ValueError(
                f"its delay lines hold {self.state_rows} rows of {self.residual_channels} "
                f"channels, over {MOST_STATE} numbers a stream; use smaller dilations"
            )

    def _check_conditioning(self) -> None:
        shapes = [part.shapes(self.layers, self.gate_channels) for part in self.conditioning]
        names = Counter(name for table in shapes for name in table)
        for name, count in names.items():
            if count > 1:
                raise ValueError(f"{count} conditioners have a weight {name!r}; one can")
        block = math.lcm(*(part.block for part in self.conditioning))
        for part in self.conditioning:
            part.check(self.output)
            if part.uses_history and part.block != block:  # its delay would be another
                raise ValueError(
                    f"{part.kind} has blocks of {part.block} samples, and all conditioners "
                    f"together of {block}; as it reads the block before, make its block {block}"
                )
        holds = sorted(part.hold for part in self.conditioning if part.hold)
        for short, long in itertools.pairwise(holds):
            if long % short:
                raise ValueError(
                    f"conditioners hold their rows for {short} and {long} samples; one must "
                    "divide the other"
                )
        rows = block // holds[0] if holds else 1
        if rows * self.layers * self.gate_channels > MOST_BIAS:
            raise ValueError(
                f"the conditioning of a block has {rows} rows of {self.layers} x "
                f"{self.gate_channels} numbers, over {MOST_BIAS}; hold each row longer"
            )

    @property
    def parameters(self) -> int:
        """Numbers in the canonical weights (`model.weights.shapes`)."""
        residual, gate, skip = self.residual_channels, self.gate_channels, self.skip_channels
        head, params, half = self.head_channels, self.output.params, gate // 2
        layer = (self.kernel * residual + 1) * gate + (half + 1) * residual + half * skip
        entry = (self.input_kernel * self.output.input_channels + 1) * residual
        ends = skip + (skip + 1) * head + (head + 1) * params
        conditioning = sum(
            math.prod(shape)
            for conditioner in self.conditioning
            for shape in conditioner.shapes(self.layers, gate).values()
        )
        return self.layers * layer + entry + ends + conditioning

    @property
    def layers(self) -> int:
        """L."""
        return len(self.dilations)

    @property
    def receptive_field(self) -> int:
        """Samples before t that the prediction of x[t] can see: k0 + (k-1) * sum(d)."""
        return self.input_kernel + (self.kernel - 1) * sum(self.dilations)

    @property
    def state_rows(self) -> int:
        """Rows of all delay lines together: (k-1) * sum(d)."""
        return (self.kernel - 1) * sum(self.dilations)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The named global conditions of all conditioners."""
        return tuple(c for conditioner in self.conditioning for c in conditioner.conditions)

    def condition(self, name: str) -> Condition:
        """The condition called `name`. Raises WavestepError when the model has none such."""
        for condition in self.conditions:
            if condition.name == name:
                return condition
        raise WavestepError(
            unknown("condition", name, [c.name for c in self.conditions], "this model has")
        )

    def encode(self, audio: NDArray[np.floating[Any]]) -> Samples:
        """Audio (T,) in [-1, 1], from silence on, to the samples that sound most like it."""
        shown = audio if self.postprocess.does_nothing else self.postprocess.undo(audio)
        return self.output.encode(shown)

    def decode(self, samples: Samples) -> NDArray[np.float32]:
        """Samples (T, B) from the first on to audio in [-1, 1], as a stream gives it."""
        audio = self.output.decode(samples)
        return self.postprocess.apply(audio, self.postprocess.start(audio.shape[1]))[0]

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON and for checkpoints."""
        data: dict[str, Any] = strict.plain(self)
        return data

    @classmethod
    def from_dict(cls, data: object, where: str = "spec") -> ModelSpec:
        """The inverse of `to_dict`. Raises WavestepError that names the key and the fault."""
        return strict.parse(cls, data, where)


def context_in_words(spec: ModelSpec) -> str:
    """The second receptive field in words, to stand after the first; nothing where there is none.

    `, context 16415 samples (2.1 s)`: what the conditioning sees of the samples made.
    """
    samples = Timing.of(spec.conditioning).context
    seconds = samples / spec.sample_rate
    return f", context {samples} samples ({seconds:.1f} s)" if samples else ""
