"""The models that most programs here measure, and weights for what is never trained."""

from __future__ import annotations

import numpy as np

from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights, shapes

MODELS = {"L20 R32 S128": "small", "L20 R64 S128": "medium", "L30 R64 S256": "paper"}
"""Their titles, and the presets (wn_targets/presets.py) whose shapes they have."""


def random_weights(spec: ModelSpec) -> Weights:
    """Canonical ones, the same every time, small enough that activations are a trained model's."""
    rng = np.random.default_rng(0)
    return {n: (rng.standard_normal(s) * 0.1).astype(np.float32) for n, s in shapes(spec).items()}
