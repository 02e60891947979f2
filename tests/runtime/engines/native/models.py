"""Models that reach what is special to wavenet.c, and the weights that a precision stands for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.models.specs import CORNERS, SPEAKER, random_spec, small_spec
from wn_runtime.engines.native.pack import doubled, remainder, to_bfloat16
from wn_runtime.engines.quantise import quantise
from wn_runtime.heads.logistic import Logistic
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

SPECS: dict[str, ModelSpec] = {
    **CORNERS,
    **{f"random_{seed}": random_spec(seed) for seed in range(4)},
    # Widths that are no multiple of any vector, and more inputs than int8 sums up in one go.
    "wide": small_spec((2, 1), residual=33, gate=70, skip=130, head=600, classes=257),
    # Of amplitudes int8 has the remainder of both matrices of the head.
    "amplitudes": small_spec(
        (2, 1), residual=33, gate=70, skip=600, head=130, output=Logistic(components=3)
    ),
    # Layers whose older taps are summed up for several samples together.
    "far": small_spec(
        (8, 1, 17, 9, 12),
        kernel=3,
        residual=64,
        gate=96,
        skip=30,
        head=20,
        classes=32,
        conditions=(SPEAKER,),
    ),
    # Layers whose older taps are left to helpers, some steps before they are needed.
    "left": small_spec(
        (1, 16, 32, 2, 17, 40) * 2, residual=48, gate=96, skip=100, head=100, conditions=(SPEAKER,)
    ),
    # Their taps for different numbers of samples: 1 to 8, by dilation and tap.
    "near": small_spec(
        (1, 2, 3, 4, 7, 16),
        kernel=4,
        residual=50,
        gate=140,
        skip=30,
        head=20,
        classes=32,
        conditions=(SPEAKER,),
    ),
}


def rounded(spec: ModelSpec, weights: Weights, precision: str) -> dict[str, NDArray[np.float32]]:
    """The float weights that a precision stands for."""
    table, finer = dict(weights), doubled(spec)
    if precision == "fp32":
        return table
    for name in ("gate", "residual", "skip", "head.0", "head.1"):
        stack = weights[f"{name}.weight"]
        matrices = stack.reshape(-1, *stack.shape[-2:])
        if precision == "bf16":
            rows = [(to_bfloat16(m).astype(np.uint32) << 16).view(np.float32) for m in matrices]
        else:
            rows = [whole * scale for whole, scale in map(quantise, matrices)]
            if name in finer:
                whole, scale = quantise(remainder(matrices[0]))
                rows[0] = rows[0] + whole * scale
        table[f"{name}.weight"] = np.stack(rows).reshape(stack.shape).astype(np.float32)
    return table


def with_params(weights: Weights, params: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Weights of a model that always predicts `params`."""
    nothing = np.zeros_like(weights["head.1.weight"])
    return {**weights, "head.1.weight": nothing, "head.1.bias": params.astype(np.float32)}
