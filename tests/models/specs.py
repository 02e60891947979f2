"""Small models for tests: named corners, random specs, random weights and inputs, all seeded."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.conditioning.spec import Condition
from wn_runtime.heads.head import Samples
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model import weights
from wn_runtime.model.spec import ModelSpec

SPEAKER = Condition("speaker", "categorical", ("ann", "bob", "eve"))
MOOD = Condition("mood", "tags", ("calm", "loud"))


def small_spec(
    dilations: Sequence[int] = (1, 2, 4),
    residual: int = 8,
    gate: int = 16,
    skip: int = 8,
    head: int = 8,
    classes: int = 16,
    conditions: Sequence[Condition] = (),
    **other: Any,
) -> ModelSpec:
    """A model of mu-law classes and global conditions; `other` are fields of ModelSpec."""
    return ModelSpec(
        **{
            "sample_rate": 8000,
            "dilations": tuple(dilations),
            "residual_channels": residual,
            "gate_channels": gate,
            "skip_channels": skip,
            "head_channels": head,
            "output": Softmax(classes),
            "conditioning": (GlobalConditions(tuple(conditions)),) if conditions else (),
            **other,
        }
    )


PLAIN = small_spec()

CORNERS: dict[str, ModelSpec] = {
    "plain": PLAIN,
    "one_condition": small_spec(conditions=(SPEAKER,)),
    "two_conditions": small_spec(conditions=(SPEAKER, MOOD)),
    "kernel_3": small_spec(kernel=3, conditions=(SPEAKER,)),
    "input_kernel_2": dataclasses.replace(PLAIN, input_kernel=2, residual_scale=0.5**0.5),
    "uneven": small_spec(
        (3, 1, 5),
        residual=7,
        gate=10,
        skip=13,
        head=9,
        classes=11,
        conditions=(SPEAKER,),
        sample_rate=16000,
        kernel=3,
        input_kernel=2,
    ),
    "one_layer": small_spec((2,), residual=5, gate=6, skip=4, head=3, classes=7),
}


def random_spec(seed: int) -> ModelSpec:
    """Any shape that a user may train, small enough for a test."""
    rng = np.random.default_rng(seed)

    def pick(low: int, high: int) -> int:
        return int(rng.integers(low, high + 1))

    conditions = [c for c in (SPEAKER, MOOD) if rng.random() < 0.5]
    return small_spec(
        dilations=[pick(1, 9) for _ in range(pick(1, 5))],
        kernel=pick(2, 4),
        input_kernel=pick(1, 3),
        residual=pick(1, 40),
        gate=2 * pick(1, 36),
        skip=pick(1, 40),
        head=pick(1, 40),
        classes=pick(2, 70),
        residual_scale=float(rng.choice([1.0, 0.5**0.5])),
        conditions=conditions,
    )


def random_weights(spec: ModelSpec, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Canonical weights of a scale that keeps activations near one and params spread out."""
    rng = np.random.default_rng(seed)
    table = {}
    for name, shape in weights.shapes(spec).items():
        fan_in: float = {
            "gate.weight": spec.kernel * spec.residual_channels,
            "input.weight": 1,
        }.get(name, shape[-2] if len(shape) > 1 else 25)
        if name == "skip.weight":
            fan_in = spec.layers * spec.gate_channels / 8
        if name.startswith("condition."):
            fan_in = 4
        if name == "head.1.weight":
            fan_in /= 6
        table[name] = (rng.standard_normal(shape) / fan_in**0.5).astype(np.float32)
    table["residual.weight"][-1] = 0
    table["residual.bias"][-1] = 0
    return table


def random_samples(spec: ModelSpec, steps: int, streams: int, seed: int = 0) -> Samples:
    """Samples (T, B) of the model's head."""
    rng, head = np.random.default_rng(seed), spec.output
    if head.codes is None:
        return rng.uniform(-1, 1, (steps, streams)).astype(np.float32)
    return rng.integers(0, head.codes, (steps, streams)).astype(np.int32)


def random_bias(
    spec: ModelSpec, streams: int, rows: int = 1, seed: int = 0
) -> NDArray[np.float32] | None:
    """Conditioning (rows, L, B, G); None for a model without."""
    if not spec.conditioning:
        return None
    rng = np.random.default_rng(seed)
    shape = (rows, spec.layers, streams, spec.gate_channels)
    return (rng.standard_normal(shape) / 2).astype(np.float32)


def random_mixed(
    spec: ModelSpec, streams: int, samples: int, frames: int = 1, parts: int = 3
) -> Mixed:
    """Conditioning of so many samples that is mixed; of a frame's last part half have nothing."""
    rows = random_bias(spec, streams, frames * parts)
    assert rows is not None
    mix = np.random.default_rng(1).standard_normal((samples, streams, parts)).astype(np.float32)
    mix[::2, :, -1] = 0
    return Mixed(rows.reshape(frames, parts, *rows.shape[1:]), mix)


def random_uniforms(
    steps: int, streams: int = 1, seed: int = 0, each: int = 1
) -> NDArray[np.int32]:
    """Uniforms (T, B, U)."""
    return np.random.default_rng(seed).integers(0, 2**24, (steps, streams, each), np.int32)
