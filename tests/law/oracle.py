"""The layer equation over a whole sequence in NumPy, float64: what every engine is held to.

Written from the equation in wn_runtime.model.spec and nothing else; it has no delay lines.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wn_runtime.heads.head import Samples
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

Array = NDArray[np.float64]


def score(
    spec: ModelSpec,
    weights: Weights,
    samples: Samples,
    bias: NDArray[np.float32] | None = None,
) -> Array:
    """Params (T, B, A) of samples (T, B) from the zero state; bias (N, L, B, G) or None."""
    w = {name: array.astype(np.float64) for name, array in weights.items()}
    steps, streams = samples.shape
    silence = np.full((spec.input_kernel, streams), spec.output.silence, samples.dtype)
    before = np.concatenate([silence, samples])  # before[k0 + t] is x[t]
    h = np.zeros((steps, streams, spec.residual_channels)) + w["input.bias"]
    for j in range(spec.input_kernel):
        newest = spec.input_kernel - 1 - j
        window = before[newest : newest + steps]  # x[t-1-j]
        if spec.output.codes is None:
            h += window[..., None] * w["input.weight"][j, 0]
        else:
            h += w["input.weight"][j][window]
    skip = np.zeros((steps, streams, spec.skip_channels)) + w["skip.bias"]
    half = spec.gate_channels // 2
    for layer, dilation in enumerate(spec.dilations):
        a = np.zeros((steps, streams, spec.gate_channels)) + w["gate.bias"][layer]
        for j in range(spec.kernel):
            a += _delayed(h, j * dilation) @ w["gate.weight"][layer, j]
        if bias is not None:
            a += np.repeat(bias[:, layer], steps // len(bias), axis=0)
        z = np.tanh(a[..., :half]) / (1 + np.exp(-a[..., half:]))
        skip += z @ w["skip.weight"][layer]
        h = (z @ w["residual.weight"][layer] + w["residual.bias"][layer] + h) * spec.residual_scale
    hidden = np.maximum(np.maximum(skip, 0) @ w["head.0.weight"] + w["head.0.bias"], 0)
    params: Array = hidden @ w["head.1.weight"] + w["head.1.bias"]
    return params


def _delayed(h: Array, steps: int) -> Array:
    """h[t - steps], zeros before the start."""
    padded = np.concatenate([np.zeros((steps, *h.shape[1:])), h])
    return padded[: len(h)]
