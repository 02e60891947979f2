"""What a network remembers between two samples: the arrays of its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime import arguments
from wn_runtime.arguments import wrong_type
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import DELAY_LINES, SAMPLES, State, StateArray


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
    if not isinstance(state, Mapping):
        raise wrong_type("state", state, "a mapping of names to arrays")
    if sorted(state) != sorted(arrays):
        raise WavestepError(
            f"the state holds {', '.join(sorted(state)) or 'nothing'}; this model's has "
            f"{', '.join(sorted(arrays))}"
        )
    for name, array in arrays.items():
        shape = (array.rows, streams, *array.channels)
        given = arguments.array(f"{name} of the state", state[name])
        if given.shape != shape:
            raise WavestepError(
                f"{name} of the state is {given.shape}; this model with {streams} "
                f"stream{'s' * (streams != 1)} has {shape}"
            )
        if not np.isfinite(given).all():
            raise WavestepError(f"{name} of the state holds NaN or infinity")
        checked[name] = given.astype(array.dtype, copy=False)
    checked[SAMPLES] = spec.output.check(checked[SAMPLES], "samples of the state")
    return checked
