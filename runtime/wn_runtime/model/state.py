"""A stream's memory as a value: named arrays, in no engine's own layout.

Every array has its streams on axis 1, so that a stream can be taken out and put in whatever the
names are. `layout` has those of the network; a conditioner's are its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.errors import WavestepError

if TYPE_CHECKING:
    from wn_runtime.model.spec import ModelSpec  # whose conditioners have states of their own

State = dict[str, NDArray[Any]]
"""Name to array (n, B, …)."""
SAMPLES, DELAY_LINES = "samples", "delay_lines"


@dataclass(frozen=True)
class StateArray:
    """One array of a state."""

    rows: int
    channels: tuple[int, ...]
    """What follows the streams' axis."""
    dtype: str
    start: float = 0
    """Its value at the start of a stream."""

    def zeros(self, streams: int) -> NDArray[Any]:
        """As it is at the start."""
        return np.full((self.rows, streams, *self.channels), self.start, self.dtype)

    @property
    def stream_bytes(self) -> int:
        """Bytes of one stream."""
        return int(np.prod((self.rows, *self.channels))) * np.dtype(self.dtype).itemsize


def layout(spec: ModelSpec) -> dict[str, StateArray]:
    """What a network remembers between samples.

    samples (k0, B): the newest, oldest first. delay_lines ((k-1)·Σd, B, R): layer by layer its
    newest (k-1)·d inputs, oldest first.
    """
    head = spec.output
    return {
        SAMPLES: StateArray(spec.input_kernel, (), head.sample_dtype.name, head.silence),
        DELAY_LINES: StateArray(spec.state_rows, (spec.residual_channels,), "float32"),
    }


def initial(spec: ModelSpec, streams: int) -> State:
    """The state of streams before their first sample: silence, and zero delay lines."""
    return {name: array.zeros(streams) for name, array in layout(spec).items()}


def check(state: Mapping[str, NDArray[Any]], spec: ModelSpec, streams: int) -> State:
    """The state with the types it must have.

    Raises WavestepError unless it is one of that model and number of streams.
    """
    checked: State = {}
    arrays = layout(spec)
    if sorted(state) != sorted(arrays):
        raise WavestepError(
            f"the state holds {', '.join(sorted(state)) or 'nothing'}; this model's has "
            f"{', '.join(sorted(arrays))}"
        )
    for name, array in arrays.items():
        shape = (array.rows, streams, *array.channels)
        if state[name].shape != shape:
            raise WavestepError(
                f"{name} of the state is {state[name].shape}; this model with {streams} "
                f"stream{'s' * (streams != 1)} has {shape}"
            )
        checked[name] = state[name].astype(array.dtype, copy=False)
    checked[SAMPLES] = spec.output.check(state[SAMPLES], "samples of the state")
    return checked


def take(state: Mapping[str, NDArray[Any]], slots: Sequence[int]) -> State:
    """A copy of the streams named."""
    return {name: array[:, list(slots)].copy() for name, array in state.items()}


def put(
    state: Mapping[str, NDArray[Any]], slots: Sequence[int], part: Mapping[str, NDArray[Any]]
) -> State:
    """A copy of `state` with the streams of `part` in those slots."""
    changed = {name: array.copy() for name, array in state.items()}
    for name, array in changed.items():
        array[:, list(slots)] = part[name]
    return changed


def check_slots(slots: Sequence[int] | None, streams: int) -> list[int]:
    """The slots named, or all. Raises WavestepError for one that is not there or named twice."""
    chosen = list(range(streams)) if slots is None else [int(slot) for slot in slots]
    for slot in chosen:
        if not 0 <= slot < streams:
            raise WavestepError(
                f"slot {slot} is out of range; there are {streams}: 0 to {streams - 1}"
            )
    if len(set(chosen)) != len(chosen):
        raise WavestepError(f"slots are {chosen}; name each once")
    return chosen
