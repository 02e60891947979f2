"""A graph's inputs and outputs: what it is built to, and every host of one binds.

The step graph's:

sample [B, k0] ─┐                       ┌─ params [B, A]
past [L, k-1, B, R] ─┤  one step of B streams  ├─ present [L, B, R]
bias [L, B, G] ─┘
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec

ELEMENTS: dict[str, np.dtype[Any]] = {"fp32": np.dtype(np.float32), "fp16": np.dtype(np.float16)}
"""Precision to the type of a graph's weights, activations and state."""


@dataclass(frozen=True)
class Tensor:
    """One input or output."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    rows: str = ""
    """What a first size is called that each call decides; it is none of `shape`. Empty: none."""

    @property
    def sizes(self) -> tuple[int | str, ...]:
        """The shape, with the name of the size that a call decides."""
        return (self.rows, *self.shape) if self.rows else self.shape

    @property
    def nbytes(self) -> int:
        """Bytes it takes, or each row of it."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def __str__(self) -> str:
        """`float16 (4, 1, 2, 32)`, `int32 (samples, 1)`."""
        sizes = str(self.sizes).replace(repr(self.rows), self.rows) if self.rows else self.shape
        return f"{self.dtype.name} {sizes}"


@dataclass(frozen=True)
class Signature:
    """The tensors of a graph or plan by name."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """All of them, inputs first."""
        yield from self.inputs.items()
        yield from self.outputs.items()

    def check(self, inputs: dict[str, Tensor], outputs: dict[str, Tensor], what: str) -> None:
        """Raise WavestepError unless a graph or plan, called `what`, has just these tensors."""
        for side, expected, found in (
            ("input", self.inputs, inputs),
            ("output", self.outputs, outputs),
        ):
            for name in sorted(expected.keys() | found.keys()):
                if expected.get(name) != found.get(name):
                    raise WavestepError(
                        f"{what}: {side} {name} is {found.get(name, 'absent')}, this model has "
                        f"{expected.get(name, 'no such ' + side)}; export the model again"
                    )


@dataclass(frozen=True)
class StepSignature(Signature):
    """The step graph's.

    sample: the last k0 samples, newest last. past: each layer's inputs d, 2d, … steps ago, read
    from its delay line. bias: the conditioning of this step; absent for a model without.
    params: float32 whatever the graph's type. present: each layer's input at this step, to be
    written to its delay line.
    """

    @classmethod
    def of(cls, spec: ModelSpec, precision: str, batch: int) -> StepSignature:
        """The signature of the graph of `batch` streams; `precision` is a key of ELEMENTS."""
        element, head = ELEMENTS[precision], spec.output
        layers, residual = spec.layers, spec.residual_channels
        inputs = {
            "sample": Tensor((batch, spec.input_kernel), head.sample_dtype),
            "past": Tensor((layers, spec.kernel - 1, batch, residual), element),
        }
        if spec.conditioning:
            inputs["bias"] = Tensor((layers, batch, spec.gate_channels), element)
        outputs = {
            "params": Tensor((batch, head.params), np.dtype(np.float32)),
            "present": Tensor((layers, batch, residual), element),
        }
        return cls(inputs, outputs)
