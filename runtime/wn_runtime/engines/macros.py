"""A model's shapes as the macros that C and CUDA code is compiled with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from wn_runtime.model.spec import ModelSpec


def of_model(spec: ModelSpec) -> dict[str, object]:
    """Name to value, the head's own included."""
    head = spec.output
    return {
        "LAYERS": spec.layers,
        "KERNEL": spec.kernel,
        "INPUT_KERNEL": spec.input_kernel,
        "RESIDUAL": spec.residual_channels,
        "GATE": spec.gate_channels,
        "SKIP": spec.skip_channels,
        "HEAD": spec.head_channels,
        "PARAMS": head.params,
        "CODES": head.codes or 0,
        "UNIFORMS": head.uniforms,
        **head.constants(),
        "DILATIONS": braces(spec.dilations),
        "RESIDUAL_SCALE": float(np.float32(spec.residual_scale)).hex() + "f",
    }


def braces(numbers: Iterable[int]) -> str:
    """The initialiser of an array."""
    return "{" + ", ".join(map(str, numbers)) + "}"
