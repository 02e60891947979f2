"""What importers share on the way to canonical weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.spec import Condition
from wn_train.importers.foreign_weights import ANY, ForeignWeights
from wn_train.importers.imported import Array

SPEAKER, EXTERNAL = "speaker", "features"


def oldest_last(weight: Array) -> Array:
    """A convolution's weight (outputs, inputs, taps), the oldest tap first, as [taps, in, out]."""
    return weight[:, :, ::-1].transpose(2, 1, 0)


def embedded(weights: ForeignWeights, embedding: str, projection: Array) -> tuple[Condition, Array]:
    """A global condition and its rows [n, L, G], from its projection [gin, L, G].

    With an embedding, a row a value; without, the original was given the numbers themselves, and
    they are tags, each 0 or 1.
    """
    if embedding in weights.names:
        table = weights.tensor(embedding, ANY, len(projection))
        rows: Array = np.einsum("ni,ilg->nlg", table, projection)
        names = tuple(str(i) for i in range(len(table)))
        return Condition(SPEAKER, "categorical", names), rows
    names = tuple(str(i) for i in range(len(projection)))
    return Condition(EXTERNAL, "tags", names), projection


def arrays(table: Mapping[str, Array]) -> dict[str, NDArray[np.float32]]:
    """Everything in float32, contiguous."""
    return {name: np.ascontiguousarray(array, np.float32) for name, array in table.items()}
