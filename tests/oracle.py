"""The layer equation over a whole sequence in NumPy, float64: what every engine is held to.

Written from the equation in wn_runtime/spec.py and nothing else; it has no delay lines.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

Array = NDArray[np.float64]


def score(
    spec: ModelSpec,
    weights: Weights,
    samples: NDArray[np.int32],
    bias: NDArray[np.float32] | None = None,
) -> Array:
    """Logits (T, B, A) of samples (T, B) from the zero state; bias (T or 1, L, B, G) or None."""
    w = {name: array.astype(np.float64) for name, array in weights.items()}
    steps, streams = samples.shape
    silence = np.full((spec.input_kernel, streams), spec.silence, samples.dtype)
    before = np.concatenate([silence, samples])  # before[k0 + t] is x[t]
    h = np.zeros((steps, streams, spec.residual)) + w["input.bias"]
    for j in range(spec.input_kernel):
        newest = spec.input_kernel - 1 - j
        h += w["input.weight"][j][before[newest : newest + steps]]  # x[t-1-j]
    skip = np.zeros((steps, streams, spec.skip)) + w["skip.bias"]
    for layer, dilation in enumerate(spec.dilations):
        a = np.zeros((steps, streams, spec.gate)) + w["gate.bias"][layer]
        for j in range(spec.kernel):
            a += _delayed(h, j * dilation) @ w["gate.weight"][layer, j]
        if bias is not None:
            a += bias[:, layer]
        half = spec.gate // 2
        z = np.tanh(a[..., :half]) / (1 + np.exp(-a[..., half:]))
        skip += z @ w["skip.weight"][layer]
        h = (z @ w["residual.weight"][layer] + w["residual.bias"][layer] + h) * spec.residual_scale
    hidden = np.maximum(np.maximum(skip, 0) @ w["head.0.weight"] + w["head.0.bias"], 0)
    logits: Array = hidden @ w["head.1.weight"] + w["head.1.bias"]
    return logits


def _delayed(h: Array, steps: int) -> Array:
    """h `steps` samples ago, zero before the start: (T, B, R)."""
    return np.concatenate([np.zeros_like(h[:steps]), h])[: len(h)]
