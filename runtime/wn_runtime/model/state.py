"""A stream's memory as a value: named arrays, in no engine's own layout.

Every array has its streams on axis 1, so that a stream can be taken out and put in whatever the
names are. layout.py has those of the network; a conditioner's are its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.arguments import integer, wrong_type
from wn_runtime.errors import WavestepError

State = dict[str, NDArray[Any]]
"""Name to array (n, B, …)."""
_ANY = 2**63
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
    if slots is not None and (isinstance(slots, (str, bytes)) or not np.iterable(slots)):
        raise wrong_type("slots", slots, "a list of integers")
    chosen = list(range(streams))
    if slots is not None:
        chosen = [integer("slot", slot, -_ANY, _ANY) for slot in slots]
    for slot in chosen:
        if not 0 <= slot < streams:
            raise WavestepError(
                f"slot {slot} is out of range; there are {streams}: 0 to {streams - 1}"
            )
    if len(set(chosen)) != len(chosen):
        raise WavestepError(f"slots are {chosen}; name each once")
    return chosen
