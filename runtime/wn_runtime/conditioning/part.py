"""What every conditioner of a model is, whatever it conditions on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.model.state import State

Value = str | int | Set[str | int]
"""A condition's value by name or by index; tags are joined by `+`, or a set of such."""
Rows = NDArray[np.float32]
"""(N, L, B, G): the bias of a block of P samples, each row held for P/N of them."""
Frames = NDArray[np.float32]
"""(F, B, C): frames of B streams."""


class ConditionerPart(Protocol):
    """One conditioner. Its state is a value, each array (n, B, …): streams on axis 1."""

    def start(self, values: Mapping[str, Sequence[Value | None]], streams: int) -> State:
        """The state of B streams before their first block; None: the condition is not given."""
        ...

    def block(
        self, state: State, samples: int, frames: Frames | None, history: NDArray[Any] | None, /
    ) -> tuple[Rows | Mixed, State]:
        """The bias of the next `samples`, a multiple of the spec's `block`, and the next state.

        The bias as rows, or as what they are mixed from, where that is less. frames: those of the
        block and `lookahead / hop` more. history (P, B): the samples of the block before, silence
        at the start.
        """
        ...
