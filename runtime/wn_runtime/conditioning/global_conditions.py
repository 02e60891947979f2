"""Speakers, digits, tags: conditions that are constant over an utterance (WaveNet, section 2.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.part import Frames, Rows, Value
from wn_runtime.conditioning.spec import Condition, ConditionerSpec
from wn_runtime.model.state import State


@dataclass(frozen=True)
class GlobalConditions(ConditionerSpec):
    """V·h of every layer's gate: each condition has a table of one row a value."""

    named: tuple[Condition, ...]

    kind: ClassVar[str] = "global"

    def __post_init__(self) -> None:
        if not self.named:
            raise ValueError("named is empty; a model without conditions has no such conditioner")

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """See `ConditionerSpec.conditions`."""
        return self.named

    def shapes(self, layers: int, gate_channels: int) -> dict[str, tuple[int, ...]]:
        """See `ConditionerSpec.shapes`: [n, L, G] a condition."""
        return {
            f"condition.{condition.name}.weight": (len(condition.values), layers, gate_channels)
            for condition in self.named
        }

    def part(
        self, layers: int, gate_channels: int, weights: Mapping[str, NDArray[np.float32]]
    ) -> GlobalConditioner:
        """See `ConditionerSpec.part`."""
        tables = {c.name: weights[f"condition.{c.name}.weight"] for c in self.named}
        return GlobalConditioner(self.named, tables, (layers, gate_channels))


class GlobalConditioner:
    """The sum of the tables' rows, made once at the start of a stream and held."""

    def __init__(
        self,
        conditions: tuple[Condition, ...],
        tables: Mapping[str, NDArray[np.float32]],
        shape: tuple[int, int],
    ) -> None:
        self._conditions, self._tables = conditions, tables  # [n, L, G] each
        self._layers, self._gate = shape

    def start(self, values: Mapping[str, Sequence[Value | None]], streams: int) -> State:
        """The bias itself, (L, B, G). A condition that is not given adds nothing."""
        total = np.zeros((self._layers, streams, self._gate), np.float32)
        for condition in self._conditions:
            if condition.name in values:
                multi_hot = encode(condition, values[condition.name])
                total += np.einsum("bn,nlg->lbg", multi_hot, self._tables[condition.name])
        return {"bias": total}

    def block(
        self, state: State, _samples: int, _frames: Frames | None, _history: NDArray[Any] | None, /
    ) -> tuple[Rows, State]:
        """See `ConditionerPart.block`: one row for any number of samples."""
        return state["bias"][None], state


def encode(condition: Condition, values: Sequence[Value | None]) -> NDArray[np.float32]:
    """Values of B streams as multi-hot rows (B, n); None is a row of zeros."""
    rows = np.zeros((len(values), len(condition.values)), np.float32)
    for row, value in zip(rows, values, strict=True):
        if value is not None:
            row[condition.indices(value)] = 1
    return rows
