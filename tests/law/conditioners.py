"""The streaming law of a conditioner: blocks of any sizes equal one whole pass, shifted."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence

import numpy as np

from tests.law.steps import Array
from wn_runtime.conditioning.conditioner import Conditioner, Values
from wn_runtime.conditioning.part import Frames


def verify_conditioner_contract(
    conditioner: Conditioner,
    conditions: dict[str, Values],
    frames: Frames | None,
    samples: Array,
    tolerance: float = 1e-6,
) -> None:
    """Assert that blocks of any sizes give the bias of one whole pass, by the stated timing.

    frames (F, B, C): those of all samples and the lookahead; samples (T, B), T whole blocks.
    """
    timing = conditioner.timing
    steps, streams = samples.shape
    size = timing.block
    count = steps // size

    def frames_of(start: int, blocks: int, given: Frames | None) -> Frames | None:
        if given is None:
            return None
        first = start * size // timing.hop
        return given[first : first + timing.frames(blocks * size)]

    def run(cuts: Sequence[int], given: Frames | None, known: Array) -> Array:
        state, rows = conditioner.start(conditions, streams), []
        before = np.full_like(samples[:size], conditioner.silence)
        for start, end in itertools.pairwise([0, *cuts, count]):
            kept = copy.deepcopy(state)
            piece = frames_of(start, end - start, given)
            bias, following = conditioner.block(state, (end - start) * size, piece, before)
            for name, array in kept.items():
                assert np.array_equal(array, state[name]), f"{name} of the state was changed"
            assert bias is not None
            held = (end - start) * size // len(bias)
            rows.append(np.repeat(bias, held, axis=0))
            state, before = following, known[(end - 1) * size : end * size]
        return np.concatenate(rows)

    expected = run(range(1, count), frames, samples)
    rng = np.random.default_rng(0)
    sizes = [range(1, count)] if timing.uses_history else [[], sorted(rng.permutation(count)[:3])]
    for cuts in sizes:
        found = run([cut for cut in cuts if cut > 0], frames, samples)
        error = np.abs(found - expected).max() / np.abs(expected).max()
        assert error <= tolerance, f"blocks are not one pass: {error:.3g} off"
    whole = conditioner.whole(conditions, streams, steps, frames, samples)
    assert whole is not None
    each = np.repeat(whole, steps // len(whole), axis=0)
    assert np.abs(each - expected).max() <= tolerance * np.abs(expected).max(), "whole differs"

    # What lies beyond the lookahead changes nothing, nor do samples of this block and later.
    middle = count // 2
    later, known = frames, samples.copy()
    if frames is not None:
        later = frames.copy()
        later[timing.frames(middle * size) :] += 1
    known[middle * size :] = known[middle * size :][::-1]
    found = run(range(1, count), later, known)
    near = np.abs(found - expected)[: middle * size].max()
    assert near <= tolerance * np.abs(expected).max(), "the bias sees beyond its lookahead"
