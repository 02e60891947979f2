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
    params: int
    """A: channels of the output."""
    macs: int
    """Multiply-adds, which is also the weights read: each is used once a sample."""
    state: int
    """Numbers in all delay lines."""
    older: int = 0
    """Those of the multiply-adds that are of taps from the delay lines,"""
    skip: int = 0
    """of the skip sums,"""
    head: tuple[int, int] = (0, 0)
    """and of the head's first product and its second."""
    remainders: tuple[int, int] = (0, 0)
    """Those that the native engine adds to them in int8 (`doubled` in its pack.py)."""
    residual: int = 0
    """R: the width of a layer's input."""
    dilations: tuple[int, ...] = ()
    """Of each layer."""

    @classmethod
    def of(cls, spec: ModelSpec) -> Work:
        """Count the products of the layer equation and the head; biases are left out."""
        residual, gate, skip = spec.residual_channels, spec.gate_channels, spec.skip_channels
        z = gate // 2
        layer = spec.kernel * residual * gate + z * residual + z * skip
        head = skip * spec.head_channels, spec.head_channels * spec.output.params
        last = z * residual  # the last layer's residual output is used by nothing
        entry = spec.input_kernel * residual  # one row of the input table a tap
        return cls(
            layers=spec.layers,
            gate=gate,
            params=spec.output.params,
            macs=spec.layers * layer - last + sum(head) + entry,
            state=spec.state_rows * residual,
            older=spec.layers * (spec.kernel - 1) * residual * gate,
            skip=spec.layers * z * skip,
            head=head,
            remainders=(0 if spec.output.codes else head[0], head[1]),
            residual=residual,
            dilations=spec.dilations,
        )

    def products(self, precision: str) -> int:
        """Multiply-adds of the native engine."""
        return self.macs - sum(self.head) + sum(self.head_products(precision))

    def head_products(self, precision: str) -> tuple[int, int]:
        """Those of them that are of the head's first product and its second."""
        first, second = self.remainders if precision == "int8" else (0, 0)
        return self.head[0] + first, self.head[1] + second

    def weight_bytes(self, precision: str) -> float:
        """Bytes of weights read for one sample."""
        return self.macs * WEIGHT_BYTES[precision]
