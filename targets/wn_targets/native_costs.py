"""What the native engine's code costs, by instruction set and precision, apart from memory.

Printed by `python bench/native_cost.py x86` (cycles: µs on the reference machine times its 3750
MHz) and by `… arm` (instructions, counted exactly under qemu-aarch64).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """Cycles on x86-64, instructions on Arm."""

    product: float
    """For each multiply-add."""
    gate: float
    """For each gate channel of each layer: quantise, reduce, activate."""
    sample: float
    """For each sample: softmax over 256 classes, and the draw."""


COSTS: dict[str, dict[str, Cost]] = {
    "avx512": {
        "fp32": Cost(0.0487, 3.32, 831),
        "bf16": Cost(0.0622, 4.97, 845),
        "int8": Cost(0.0173, 3.31, 1497),
    },
    "avx2": {
        "fp32": Cost(0.0806, 0, 973),
        "bf16": Cost(0.103, 0, 916),
        "int8": Cost(0.042, 11.9, 188),
    },
    "sse": {
        "fp32": Cost(0.149, 17.5, 740),
        "bf16": Cost(0.270, 0.66, 1575),
        "int8": Cost(0.552, 0, 3490),
    },
    "neon-dot": {
        "fp32": Cost(0.433, 28.6, 0),
        "bf16": Cost(0.624, 19.0, 2094),
        "int8": Cost(0.121, 56.4, 0),
    },
    "neon": {
        "fp32": Cost(0.433, 28.6, 0),
        "bf16": Cost(0.624, 19.0, 2094),
        "int8": Cost(0.682, 62.6, 349),
    },
}
