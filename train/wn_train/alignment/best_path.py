"""The best way of a recording's frames through the states of its phones (Viterbi, 1967)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_path(
    scores: NDArray[np.float64], stay: NDArray[np.float64], optional: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The first frame of every state, and the number of frames: (S + 1,).

    scores: (F, S), ln density of each state in each frame. stay: (S,), how likely a state stays.
    optional: (S,), states that may be left out, a run of them whole or not at all. States come in
    order; one that is left out has no frame. Raises ValueError where there are fewer frames than
    states that must have one.

        optional    s s s              s s s
        states      0 1 2 - 3 4 5 6 7  8 9 10     from 3 to 7 in any case
    """
    frames, count = scores.shape
    required = np.flatnonzero(~optional)
    keep, enter = np.log(stay), np.log1p(-stay)
    best = np.full(count, -np.inf)
    for first in {0, int(required[0])}:
        best[first] = scores[0, first]
    # A step on is to the next state, and from a required one to the next required one.
    over = required[1:][np.diff(required) > 1]
    under = required[:-1][np.diff(required) > 1]
    came = np.zeros((frames, count), np.int64)
    for frame in range(1, frames):
        value, origin = best + keep, np.arange(count)
        leaving = best + enter
        on = np.flatnonzero(leaving[:-1] > value[1:])
        value[on + 1], origin[on + 1] = leaving[on], on
        for source, target in zip(under, over, strict=True):
            if leaving[source] > value[target]:
                value[target], origin[target] = leaving[source], source
        best = value + scores[frame]
        came[frame] = origin
    last = max((int(required[-1]), count - 1), key=lambda state: best[state])
    if not np.isfinite(best[last]):
        raise ValueError(f"{frames} frames are too few for {len(required)} states")
    states = np.empty(frames, np.int64)
    for frame in range(frames - 1, -1, -1):
        states[frame] = last
        last = int(came[frame, last])
    return np.searchsorted(states, np.arange(count + 1)).astype(np.int64)
