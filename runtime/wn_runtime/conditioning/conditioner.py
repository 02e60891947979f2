"""From named conditions to the bias of every layer's gate, in NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.engine import Bias
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import Condition, ModelSpec
from wn_runtime.model.weights import Weights

Value = str | int
"""A condition's value by name or by index."""
Values = Value | Sequence[Value]
"""One value for all streams, or one a stream; for tags, one string of names joined by `+`."""


class Conditioner:
    """V·h for the global conditions of a model: names in, (1, L, B, G) out."""

    def __init__(self, spec: ModelSpec, weights: Weights) -> None:
        self._spec = spec
        self._tables = {c.name: weights[f"condition.{c.name}.weight"] for c in spec.conditions}

    def bias(self, conditions: Mapping[str, Values], streams: int) -> Bias:
        """(1, L, B, G) float32, or None for a model without conditions.

        A condition that is not given adds nothing, as in training when it was dropped. Raises
        WavestepError for an unknown condition or value, or a wrong number of values.
        """
        encoded = self.encode(conditions, streams)
        if not self._spec.conditions:
            return None
        total = np.zeros((self._spec.layers, streams, self._spec.gate), np.float32)
        for name, multi_hot in encoded.items():
            total += np.einsum("bn,nlg->lbg", multi_hot, self._tables[name])
        return total[None]

    def encode(
        self, conditions: Mapping[str, Values], streams: int
    ) -> dict[str, NDArray[np.float32]]:
        """Each given condition as multi-hot rows, (B, n) float32."""
        encoded = {}
        for name, values in conditions.items():
            condition = self._spec.condition(name)
            each: list[Value]
            if isinstance(values, Sequence | np.ndarray) and not isinstance(values, str):
                each = list(values)
            else:
                each = [values] * streams
            if len(each) != streams:
                raise WavestepError(
                    f"{name} has {len(each)} values for {streams} streams; give one for all or "
                    "one a stream"
                )
            rows = np.zeros((streams, len(condition.values)), np.float32)
            for row, value in zip(rows, each, strict=True):
                row[_indices(condition, value)] = 1
            encoded[name] = rows
        return encoded


def _indices(condition: Condition, value: Value) -> list[int]:
    if condition.kind == "categorical":
        return [condition.index(value)]
    return [condition.index(tag) for tag in str(value).split("+") if tag]
