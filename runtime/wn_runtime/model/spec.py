"""What a model is: its shapes, its output and its conditions, apart from its weights.

Symbols (L, k, k0, R, G, S, H, A) are those of the layer equation:

    a[t] = sum_{j=0}^{k-1} h[t - j*d] @ Wgate[j] + bgate + bias[t]
    z[t] = tanh(a[:G/2]) * sigmoid(a[G/2:])
    skip += z @ Wskip
    h_next[t] = (z @ Wres + bres + h[t]) * residual_scale

(van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016, sections 2.1 to 2.5.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import strict

CONDITION_KINDS = ("categorical", "tags")


@dataclass(frozen=True)
class Condition:
    """A named global condition: constant over an utterance, added to every layer's gate."""

    name: str
    kind: str
    """`categorical`: exactly one value, or none. `tags`: any subset of the values (multi-hot)."""
    values: tuple[str, ...]
    """The values' names; a value's index is its position here."""

    def __post_init__(self) -> None:
        if self.kind not in CONDITION_KINDS:
            raise ValueError(unknown("condition kind", self.kind, CONDITION_KINDS))
        if not self.name.isidentifier():
            raise ValueError(f"condition name {self.name!r} is not an identifier (letters, _)")
        if not self.values or len(set(self.values)) != len(self.values):
            raise ValueError(f"condition {self.name!r} needs values, each once: {self.values}")

    def index(self, value: str | int) -> int:
        """The index of a value given by name or by index. Raises WavestepError when unknown."""
        text = str(value)
        if text in self.values:  # a name wins over an index: digits are named "0" to "9"
            return self.values.index(text)
        if text.lstrip("-").isdigit():
            if 0 <= int(text) < len(self.values):
                return int(text)
            raise WavestepError(
                f"{self.name} index {text} is out of range; this model has "
                f"{len(self.values)}: 0 to {len(self.values) - 1}"
            )
        raise WavestepError(unknown(self.name, text, self.values, "this model has"))


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
    residual: int = 32
    """R: residual channels."""
    gate: int = 64
    """G: filter and gate channels together; z has G/2."""
    skip: int = 128
    """S: skip channels."""
    head: int = 256
    """H: channels between the two 1x1 output convolutions."""
    classes: int = 256
    """A: mu-law classes of the softmax."""
    residual_scale: float = 1.0
    """Factor on each layer's residual output: 1, or sqrt(1/2) for models trained so."""
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        least = {
            "sample_rate": 1, "kernel": 2, "input_kernel": 1, "residual": 1, "gate": 2,
            "skip": 1, "head": 1, "classes": 2,
        }  # fmt: skip
        for name, low in least.items():
            value = getattr(self, name)
            if value < low:
                raise ValueError(f"{name} is {value}; it must be at least {low}")
        if self.sample_rate > 1_000_000:  # more than any audio file can say
            raise ValueError(f"sample_rate is {self.sample_rate}; it must be at most 1000000")
        if self.gate % 2:
            raise ValueError(f"gate is {self.gate}; it must be even (filter and gate halves)")
        if not self.dilations or min(self.dilations) < 1:
            raise ValueError(f"dilations are {self.dilations}; give at least one, each 1 or more")
        if not 0 < self.residual_scale <= 2:
            raise ValueError(f"residual_scale is {self.residual_scale}; it must be in (0, 2]")
        names = [condition.name for condition in self.conditions]
        if len(set(names)) != len(names):
            raise ValueError(f"condition names are not unique: {names}")

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
    def silence(self) -> int:
        """The class of the zero sample: what a stream has heard before its first sample."""
        return self.classes // 2

    def condition(self, name: str) -> Condition:
        """The condition called `name`. Raises WavestepError when the model has none such."""
        for condition in self.conditions:
            if condition.name == name:
                return condition
        raise WavestepError(
            unknown("condition", name, [c.name for c in self.conditions], "this model has")
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON and for checkpoints."""
        data: dict[str, Any] = strict.plain(self)
        return data

    @classmethod
    def from_dict(cls, data: object, where: str = "spec") -> ModelSpec:
        """The inverse of `to_dict`. Raises WavestepError that names the key and the fault."""
        return strict.parse(cls, data, where)
