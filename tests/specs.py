"""Small models for tests: named corners, random specs, random weights and inputs, all seeded."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from wn_runtime.model import weights
from wn_runtime.model.spec import Condition, ModelSpec

SPEAKER = Condition("speaker", "categorical", ("ann", "bob", "eve"))
MOOD = Condition("mood", "tags", ("calm", "loud"))

PLAIN = ModelSpec(8000, (1, 2, 4), residual=8, gate=16, skip=8, head=8, classes=16)

CORNERS: dict[str, ModelSpec] = {
    "plain": PLAIN,
    "one_condition": dataclasses.replace(PLAIN, conditions=(SPEAKER,)),
    "two_conditions": dataclasses.replace(PLAIN, conditions=(SPEAKER, MOOD)),
    "kernel_3": dataclasses.replace(PLAIN, kernel=3, conditions=(SPEAKER,)),
    "input_kernel_2": dataclasses.replace(PLAIN, input_kernel=2, residual_scale=0.5**0.5),
    "uneven": ModelSpec(
        16000, (3, 1, 5), kernel=3, input_kernel=2, residual=7, gate=10, skip=13, head=9,
        classes=11, conditions=(SPEAKER,),
    ),
    "one_layer": ModelSpec(8000, (2,), residual=5, gate=6, skip=4, head=3, classes=7),
}  # fmt: skip


def random_spec(seed: int) -> ModelSpec:
    """Any shape that a user may train, small enough for a test."""
    rng = np.random.default_rng(seed)

    def pick(low: int, high: int) -> int:
        return int(rng.integers(low, high + 1))

    conditions = [c for c in (SPEAKER, MOOD) if rng.random() < 0.5]
    return ModelSpec(
        sample_rate=8000,
        dilations=tuple(pick(1, 9) for _ in range(pick(1, 5))),
        kernel=pick(2, 4),
        input_kernel=pick(1, 3),
        residual=pick(1, 40),
        gate=2 * pick(1, 36),
        skip=pick(1, 40),
        head=pick(1, 40),
        classes=pick(2, 70),
        residual_scale=float(rng.choice([1.0, 0.5**0.5])),
        conditions=tuple(conditions),
    )


def random_weights(spec: ModelSpec, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Canonical weights of a scale that keeps activations near one and logits spread out."""
    rng = np.random.default_rng(seed)
    table = {}
    for name, shape in weights.shapes(spec).items():
        fan_in = {"gate.weight": spec.kernel * spec.residual, "input.weight": 1}.get(
            name, shape[-2] if len(shape) > 1 else 25
        )
        if name == "skip.weight":
            fan_in = spec.layers * spec.gate / 8
        if name.startswith("condition."):
            fan_in = 4
        if name == "head.1.weight":
            fan_in /= 6
        table[name] = (rng.standard_normal(shape) / fan_in**0.5).astype(np.float32)
    table["residual.weight"][-1] = 0
    table["residual.bias"][-1] = 0
    return table


def random_samples(spec: ModelSpec, steps: int, streams: int, seed: int = 0) -> NDArray[np.int32]:
    """Classes (T, B)."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, spec.classes, (steps, streams)).astype(np.int32)


def random_bias(
    spec: ModelSpec, streams: int, steps: int = 1, seed: int = 0
) -> NDArray[np.float32] | None:
    """Conditioning (steps, L, B, G); None for a model without conditions."""
    if not spec.conditions:
        return None
    rng = np.random.default_rng(seed)
    shape = (steps, spec.layers, streams, spec.gate)
    return (rng.standard_normal(shape) / 2).astype(np.float32)
