"""The best path is the best of all paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from wn_train.alignment.best_path import best_path


def every_path(optional: NDArray[np.bool_], frames: int) -> list[list[int]]:
    """All ways through the states: runs of optional ones left out or not, each state a frame."""
    runs = [list(g) for _, g in itertools.groupby(range(len(optional)), lambda s: optional[s])]
    choices = [[run, []] if optional[run[0]] else [run] for run in runs]
    paths = []
    for chosen in itertools.product(*choices):
        states = list(itertools.chain(*chosen))
        for cuts in itertools.combinations(range(1, frames), len(states) - 1):
            lengths = np.diff([0, *cuts, frames])
            paths.append(np.repeat(states, lengths).tolist())
    return paths


@pytest.mark.parametrize("seed", range(20))
def test_against_all_of_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    optional = np.array([[1, 1, 0, 0, 1, 0, 1], [0, 0, 1, 1, 0, 0, 0], [0] * 7][seed % 3], np.bool_)
    scores = rng.standard_normal((9, 7)) * 3
    stay = rng.uniform(0.1, 0.9, 7)

    def worth(path: list[int]) -> float:
        steps = [
            np.log(stay[a]) if a == b else np.log1p(-stay[a]) for a, b in itertools.pairwise(path)
        ]
        return float(scores[np.arange(9), path].sum() + sum(steps))

    best = max(every_path(optional, 9), key=worth)
    bounds = best_path(scores, stay, optional)
    assert bounds.tolist() == [int(np.searchsorted(best, state)) for state in range(8)]


def test_too_few_frames() -> None:
    with pytest.raises(ValueError, match="2 frames are too few for 3 states"):
        best_path(np.zeros((2, 4)), np.full(4, 0.5), np.array([True, False, False, False]))
