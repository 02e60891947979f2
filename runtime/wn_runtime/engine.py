"""What every engine does: the protocol, and the state that any of them can take over.

Arrays are NumPy, streams on axis B. `bias` is the conditioning of the gates as the conditioner
makes it: (P, L, B, G) float32 for a block of P samples, (1, L, B, G) where it is constant over
the block, or None for a model without conditions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from wn_runtime.spec import ModelSpec

Bias = NDArray[np.float32] | None


@dataclass(frozen=True)
class State:
    """A stream's memory, in no engine's own layout: a stream begun in one goes on in another."""

    samples: NDArray[np.int32]
    """(k0, B): the newest classes, oldest first."""
    lines: NDArray[np.float32]
    """((k-1) * sum(d), B, R): layer by layer, its newest (k-1)*d inputs, oldest first."""


def initial_state(spec: ModelSpec, streams: int) -> State:
    """The state of streams that have heard silence only: zero delay lines."""
    return State(
        samples=np.full((spec.input_kernel, streams), spec.silence, np.int32),
        lines=np.zeros((spec.state_rows, streams, spec.residual), np.float32),
    )


@runtime_checkable
class Engine(Protocol):
    """A model bound to B streams on one device. `generate` and `score` both move the state on."""

    name: str
    """`onnx`, `native`, `cuda` or `tensorrt`."""
    precision: str
    """`fp32`, `fp16`, `bf16` or `int8`."""
    spec: ModelSpec
    batch: int
    """B."""
    note: str
    """How it runs, for the line a command prints: `1 thread`, `CPUExecutionProvider`."""

    def generate(
        self, bias: Bias, uniforms: NDArray[np.float32], temperature: float = 1.0
    ) -> NDArray[np.int32]:
        """Continue every stream by P samples: uniforms (P, B) in [0, 1) -> classes (P, B)."""
        ...

    def score(self, samples: NDArray[np.int32], bias: Bias) -> NDArray[np.float32]:
        """Teacher forcing: samples (T, B) -> params (T, B, A), the prediction of each of them.

        Row t has seen the state and samples[:t]; afterwards the state has heard them all.
        """
        ...

    def snapshot(self) -> State:
        """A copy of the state, which later calls leave alone."""
        ...

    def restore(self, state: State) -> None:
        """Go on from `state`. Raises WavestepError when its shapes are another model's."""
        ...

    def reset(self, streams: Sequence[int] | None = None) -> None:
        """Back to silence: all streams, or those named."""
        ...

    def close(self) -> None:
        """Give back what the engine holds (memory, device); it cannot be used afterwards."""
        ...
