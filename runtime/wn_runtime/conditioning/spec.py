"""What conditions a model, as part of its spec: each kind a frozen dataclass (a tagged union)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.arguments import shown, wrong_type
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import names
from wn_runtime.text import counted

if TYPE_CHECKING:
    from wn_runtime.conditioning.part import ConditionerPart
    from wn_runtime.heads.head import Head

CONDITION_KINDS = ("categorical", "tags")
RESERVED = ("self", "seed", "temperature", "frames", "slots", "history", "bias")
"""What `Model.stream`, `Stream.reset` and conditioner.onnx take or give beside the conditions."""
MOST_VALUES = 2**16
_INDEX = re.compile(r"-?[0-9]{1,10}")


@dataclass(frozen=True)
class Condition:
    """A named global condition: constant over an utterance."""

    name: str
    kind: str
    """`categorical`: exactly one value, or none. `tags`: any subset of the values (multi-hot)."""
    values: tuple[str, ...]
    """The values' names; a value's index is its position here."""

    def __post_init__(self) -> None:
        if self.kind not in CONDITION_KINDS:
            raise ValueError(unknown("condition kind", self.kind, CONDITION_KINDS))
        names.check_label(self.name, "condition name")
        if not self.name.isidentifier():
            raise ValueError(f"condition name {self.name!r} is not an identifier (letters, _)")
        if self.name in RESERVED:
            raise ValueError(f"condition name {self.name!r} means something else; rename it")
        if not 1 <= len(self.values) <= MOST_VALUES:
            raise ValueError(
                f"condition {self.name!r} has {len(self.values)} values; give 1 to {MOST_VALUES}"
            )
        if len(set(self.values)) != len(self.values):
            raise ValueError(f"condition {self.name!r} has a value twice")
        for value in self.values:
            names.check_label(value, f"a value of condition {self.name!r}")

    @property
    def counted(self) -> str:
        """`6 speakers`, `8 tags`: how many values, in words; a name in s is plural as it is."""
        return counted(len(self.values), self.name)

    def index(self, value: object) -> int:
        """The index of a value given by name or by index.

        Raises WavestepError when it is unknown, TypeError when it is neither.
        """
        if isinstance(value, bool) or not isinstance(value, (str, int, np.integer)):
            raise wrong_type(self.name, value, "a name or an index")
        text = shown(value) if isinstance(value, int) else str(value)
        if text in self.values:  # a name wins over an index: digits are named "0" to "9"
            return self.values.index(text)
        if _INDEX.fullmatch(text):
            if 0 <= int(text) < len(self.values):
                return int(text)
            raise WavestepError(
                f"{self.name} index {text} is out of range; this model has "
                f"{len(self.values)}: 0 to {len(self.values) - 1}"
            )
        raise WavestepError(unknown(self.name, text, self.values, "this model has"))

    def indices(self, value: str | int | Set[str | int]) -> list[int]:
        """The indices that a value stands for: one, or for tags those of `calm+loud` or of a set.

        Raises WavestepError when one is unknown, TypeError when it is of another type.
        """
        if self.kind == "categorical":
            return [self.index(value)]
        if isinstance(value, Set):
            return [self.index(tag) for tag in sorted(value, key=shown)]
        if not isinstance(value, str):
            return [self.index(value)]
        return [self.index(tag) for tag in value.split("+") if tag]


class ConditionerSpec(ABC):
    """What one conditioner takes and how it is streamed; its bias is added to the others'."""

    kind: ClassVar[str]
    """Its name in specs."""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The named global conditions it takes."""
        return ()

    @property
    def frame_channels(self) -> int:
        """C: channels of the frames it takes; 0: none."""
        return 0

    @property
    def hop(self) -> int:
        """Samples that one of its frames covers; 0: one row of bias serves a whole stream."""
        return 0

    @property
    def hold(self) -> int:
        """Samples for which one row of its bias is held; it divides the hop."""
        return self.hop

    @property
    def lookahead(self) -> int:
        """Samples that its frames must be ahead of those being made; a multiple of the hop."""
        return 0

    @property
    def block(self) -> int:
        """Samples that it is streamed in multiples of; a multiple of the hop."""
        return max(1, self.hop)

    @property
    def memory(self) -> int:
        """Samples before a block that its bias depends on, frames and history alike."""
        return 0

    @property
    def uses_history(self) -> bool:
        """Whether it reads the samples made before a block, whose number is then the model's."""
        return False

    @property
    def training_numbers(self) -> int:
        """Numbers that a sample of history leaves in memory for its gradients, about."""
        return 0

    def check(self, output: Head) -> None:  # noqa: B027
        """Raise ValueError where it cannot read the samples of such a head."""

    @abstractmethod
    def shapes(self, layers: int, gate_channels: int) -> dict[str, tuple[int, ...]]:
        """Name to shape of its canonical weights; every name begins with `condition.`."""

    @abstractmethod
    def part(
        self, layers: int, gate_channels: int, weights: Mapping[str, NDArray[np.float32]]
    ) -> ConditionerPart:
        """The conditioner itself, in NumPy."""

    def padding(self, weights: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:  # noqa: ARG002
        """The frame (C,) that stands beyond a clip's own; zeros, or what its weights have."""
        return np.zeros(self.frame_channels, np.float32)
