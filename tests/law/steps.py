"""The streaming law, written once: T calls of `step` equal one pass over the T samples.

Torch layers and models, graphs and engines all pass `verify_step_contract`; engines pass
`verify_engine_contract` besides (engines.py), conditioners `verify_conditioner_contract`
(conditioners.py). Arrays are NumPy with time first and streams second. As for the layers of
sequence-layers, a thing states its timing:

    input_latency   inputs by which its step outputs come later than those of the whole pass
    output_ratio    outputs for one input: more than 1 where it upsamples
    block_size      inputs that pieces are multiples of
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Inputs = tuple[Array, ...]
"""Each (T, B, …)."""
S = TypeVar("S")


def verify_step_contract(
    whole: Callable[[Inputs], Array],
    step: Callable[[Inputs, S], tuple[Array, S]],
    initial: Callable[[], S],
    inputs: Inputs,
    tolerance: float = 1e-5,
    sees_current: Sequence[bool] | None = None,
    input_latency: int = 0,
    output_ratio: int = 1,
    block_size: int = 1,
) -> None:
    """Assert the streaming law of a thing that has a whole-sequence and a step path.

    whole: inputs (T, B, …) -> outputs (T·ratio, B, …), from the zero state. step: a piece of the
    inputs, (n, B, …) with n a multiple of block_size, and a state -> the piece's outputs
    (n·ratio, B, …), `input_latency` inputs late, and the next state. tolerance: of |difference| /
    max |output|. sees_current: for each input, whether outputs at t may see it at t, or only
    before; all may by default.
    """
    expected = whole(inputs)
    steps, late = len(inputs[0]), input_latency * output_ratio
    assert len(expected) == steps * output_ratio, "output_ratio is not what was said"
    largest = np.abs(expected).max()
    assert np.isfinite(largest)
    assert largest > 0, "outputs are all zero: nothing is verified"

    def close(found: Array, wanted: Array, law: str) -> None:
        assert found.shape == wanted.shape, f"{law}: shape {found.shape}, not {wanted.shape}"
        if not found.size:
            return
        error = np.abs(found - wanted)
        worst = np.unravel_index(error.argmax(), error.shape)
        assert error.max() <= tolerance * largest, (
            f"{law}: {error.max():.3g} off at {worst} (largest output {largest:.3g})"
        )

    def run(cuts: Sequence[int]) -> Array:
        state, outputs = initial(), []
        for start, end in itertools.pairwise([0, *cuts, steps]):
            output, state = step(_piece(inputs, start, end), state)
            assert len(output) == (end - start) * output_ratio, "output_ratio differs by piece"
            outputs.append(output)
        return np.concatenate(outputs)[late:]

    in_time = expected[: len(expected) - late]
    blocks = range(block_size, steps, block_size)
    close(run(blocks), in_time, "T steps are one pass")
    uneven = sorted({n * block_size for n in (1, 4, steps // 2 // block_size)} - {0, steps})
    close(run([cut for cut in uneven if cut < steps]), in_time, "pieces of odd sizes are one pass")

    # The state is a value: a step leaves the one it was given as it was.
    middle = steps // 2 // block_size * block_size
    _, state = step(_piece(inputs, 0, middle), initial())
    kept = copy.deepcopy(state)
    first, _ = step(_piece(inputs, middle, steps), state)
    again, _ = step(_piece(inputs, middle, steps), state)
    close(again, first, "a state can be stepped from twice")
    close(step(_piece(inputs, middle, steps), kept)[0], first, "a copy of a state is as good")

    # Nothing sees the future beyond its latency, and no stream sees another.
    sees = sees_current or [True] * len(inputs)
    later = tuple(
        _shuffled(array, slice(middle + current + input_latency, None), slice(None))
        for array, current in zip(inputs, sees, strict=True)
    )
    known = (middle + 1) * output_ratio if block_size == 1 else middle * output_ratio
    close(whole(later)[:known], expected[:known], "causality")
    streamed = step(later, initial())[0][late:]
    close(streamed[:known], in_time[:known], "causality of step")
    if expected.shape[1] > 1:
        others = tuple(_shuffled(array, slice(None), slice(1, None)) for array in inputs)
        close(whole(others)[:, 0], expected[:, 0], "streams are independent")
        output, _ = step(others, initial())
        close(output[late:, 0], in_time[:, 0], "streams of step are independent")


def _piece(inputs: Inputs, start: int, end: int) -> Inputs:
    return tuple(array[start:end] for array in inputs)


def _shuffled(array: Array, steps: slice, streams: slice) -> Array:
    """Other values of the same kind there."""
    changed = array.copy()
    part = changed[steps, streams]
    changed[steps, streams] = np.random.default_rng(5).permutation(part.ravel()).reshape(part.shape)
    return changed
