"""A small convolutional network over rows (frames, or phones): what every part of a voice is.

    h = relu(x @ W + b),   then for each layer h += relu(conv(h)),   y = h @ V + c

Convolutions are centred, `width` rows wide, with zeros beyond both ends.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def shapes(
    name: str, inputs: int, channels: int, layers: int, width: int, outputs: int
) -> dict[str, tuple[int, ...]]:
    """Name to shape of the weights: input-major, a convolution's first tap the row before."""
    table: dict[str, tuple[int, ...]] = {
        f"{name}.input.weight": (inputs, channels),
        f"{name}.input.bias": (channels,),
    }
    for i in range(layers):
        table[f"{name}.{i}.weight"] = (width, channels, channels)
        table[f"{name}.{i}.bias"] = (channels,)
    return {
        **table,
        f"{name}.output.weight": (channels, outputs),
        f"{name}.output.bias": (outputs,),
    }


def apply(name: str, layers: int, weights: Mapping[str, Array], rows: Array) -> Array:
    """Rows (n, inputs) -> (n, outputs)."""

    def named(part: str) -> tuple[Array, Array]:
        return weights[f"{name}.{part}.weight"], weights[f"{name}.{part}.bias"]

    weight, bias = named("input")
    h = np.maximum(rows @ weight + bias, 0)
    for i in range(layers):
        taps, bias = named(str(i))
        side = len(taps) // 2
        padded = np.pad(h, ((side, side), (0, 0)))
        total = sum(padded[j : j + len(h)] @ tap for j, tap in enumerate(taps))
        h = h + np.maximum(total + bias, 0)
    weight, bias = named("output")
    result: Array = h @ weight + bias
    return result
