"""What one sample of a model costs, counted from its shapes."""

from __future__ import annotations

from dataclasses import dataclass

from wn_runtime.model.spec import ModelSpec

WEIGHT_BYTES = {"fp32": 4.0, "fp16": 2.0, "bf16": 2.0, "int8": 1.0}
"""Bytes of one weight by precision; the scales of int8 are a hundredth of that and left out."""


@dataclass(frozen=True)
class Work:
    """Counts for one sample of one stream."""

    layers: int
    """L."""
    gate: int
    """G: the width of a layer's activation."""
    classes: int
    """A: the width of the softmax."""
    macs: int
    """Multiply-adds, which is also the weights read: each is used once a sample."""
    state: int
    """Numbers in all delay lines."""

    @classmethod
    def of(cls, spec: ModelSpec) -> Work:
        """Count the products of the layer equation and the head; biases are left out."""
        z = spec.gate // 2
        layer = spec.kernel * spec.residual * spec.gate + z * spec.residual + z * spec.skip
        head = spec.skip * spec.head + spec.head * spec.classes
        last = z * spec.residual  # the last layer's residual output is used by nothing
        entry = spec.input_kernel * spec.residual  # one row of the input table a tap
        return cls(
            layers=spec.layers,
            gate=spec.gate,
            classes=spec.classes,
            macs=spec.layers * layer - last + head + entry,
            state=spec.state_rows * spec.residual,
        )

    def weight_bytes(self, precision: str) -> float:
        """Bytes of weights read for one sample."""
        return self.macs * WEIGHT_BYTES[precision]
