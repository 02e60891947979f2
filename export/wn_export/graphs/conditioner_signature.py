"""conditioner.onnx's inputs and outputs: what the graph is built to, and every host of one binds.

speaker [B], mood [B, n], … ─┐
frames [B, F, C], history [B, P] ─┤  the bias of a block of P samples  ├─ bias [N, L, B, G]
state.… ─┘                                                             └─ next.…
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.step_signature import Tensor
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import State

BLOCK_SECONDS = 0.01
"""Audio that one call conditions, at least, where conditioning changes with time."""
_FLOAT, _INTEGER = np.dtype(np.float32), np.dtype(np.int32)


def block_length(spec: ModelSpec) -> int:
    """Samples that one call of a model's graph conditions: whole blocks of its conditioners."""
    timing = Timing.of(spec.conditioning)
    block = timing.block
    if block == 1 or timing.uses_history:  # constant: one row for a block of any length
        return block
    return max(1, round(BLOCK_SECONDS * spec.sample_rate / block)) * block


@dataclass(frozen=True)
class ConditionerSignature:
    """The tensors of a conditioner graph by name."""

    inputs: Mapping[str, Tensor]
    """One for each named condition: categorical [B] int32, -1 for none; tags [B, n] float32,
    multi-hot. frames, history: absent where no conditioner reads them."""
    outputs: Mapping[str, Tensor]
    """bias: each row for P/N samples."""

    @classmethod
    def of(
        cls, spec: ModelSpec, batch: int, block: int, states: Mapping[str, Tensor]
    ) -> ConditionerSignature:
        """That of `batch` streams and blocks of so many samples.

        states: of those that the graph carries, as `states_of` names them.
        """
        timing, inputs = Timing.of(spec.conditioning), dict[str, Tensor]()
        for condition in spec.conditions:
            if condition.kind == "tags":
                inputs[condition.name] = Tensor((batch, len(condition.values)), _FLOAT)
            else:
                inputs[condition.name] = Tensor((batch,), _INTEGER)
        if timing.frame_channels:
            frames = (batch, timing.frames(block), timing.frame_channels)
            inputs["frames"] = Tensor(frames, _FLOAT)
        if timing.uses_history:
            inputs["history"] = Tensor((batch, block), spec.output.sample_dtype)
        rows = max([block // part.hold for part in spec.conditioning if part.hold], default=1)
        shape = (rows, spec.layers, batch, spec.gate_channels)
        return cls(
            inputs={**inputs, **{f"state.{name}": tensor for name, tensor in states.items()}},
            outputs={
                "bias": Tensor(shape, _FLOAT),
                **{f"next.{name}": tensor for name, tensor in states.items()},
            },
        )

    @property
    def nbytes(self) -> int:
        """Bytes of all of them."""
        return sum(tensor.nbytes for tensor in (*self.inputs.values(), *self.outputs.values()))


def states_of(start: State, batch: int) -> dict[str, Tensor]:
    """What `batch` streams carry, from a conditioner's state of one, each array (n, 1, …)."""
    return {
        name: Tensor((array.shape[0], batch, *array.shape[2:]), array.dtype)
        for name, array in start.items()
    }
