"""What phones sound like: each three states one after the other, a diagonal Gaussian each.

A phone sounds otherwise between other neighbours. It has a model in each context, which leans on
that of the phone in all contexts where it has heard little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from wn_runtime.speech.labels import SILENCE

STATES = 3
_LEAN_ON_PHONE, _LEAN_ON_ALL = 100.0, 5.0
"""Frames that the broader model counts as, beside those of the narrower one."""
_LEAST_VARIANCE = 0.05
"""Of features that vary by 1."""


@dataclass(frozen=True)
class PhoneModels:
    """Fitted to recordings and the frames that their phones have in them."""

    index: dict[str, int]
    """A phone in its context (`in_context`) to its place; V places."""
    mean: NDArray[np.float64]
    """(V, STATES, C)."""
    precision: NDArray[np.float64]
    """(V, STATES, C): 1 / variance."""
    stay: NDArray[np.float64]
    """(V, STATES): how likely the next frame is of the same state."""

    def scores(self, features: NDArray[np.float32], phones: Sequence[str]) -> NDArray[np.float64]:
        """Features (F, C) to (F, phones * STATES): ln of each state's density, but a constant."""
        at = self._places(phones)
        precision = self.precision[at].reshape(len(at) * STATES, -1)
        weighted = precision * self.mean[at].reshape(precision.shape)
        x = features.astype(np.float64)
        constant = np.log(precision).sum(1) - (weighted**2 / precision).sum(1)
        result: NDArray[np.float64] = 0.5 * constant + x @ weighted.T - 0.5 * x**2 @ precision.T
        return result

    def staying(self, phones: Sequence[str]) -> NDArray[np.float64]:
        """(phones * STATES,)."""
        return self.stay[self._places(phones)].ravel()

    def _places(self, phones: Sequence[str]) -> list[int]:
        return [self.index[name] for name in in_context(phones)]


def in_context(phones: Sequence[str]) -> list[str]:
    """Each phone between its neighbours; silence sounds alike everywhere."""
    around = ["", *phones, ""]
    return [
        phone if phone == SILENCE else f"{before}-{phone}+{after}"
        for before, phone, after in zip(around, phones, around[2:], strict=False)
    ]


def fit(
    features: Sequence[NDArray[np.float32]],
    phones: Sequence[Sequence[str]],
    bounds: Sequence[NDArray[np.int64]],
) -> PhoneModels:
    """Of each recording: its features (F, C), its phones, and the first frame of each state.

    The features of all frames have mean 0 and variance 1. bounds: (phones * STATES + 1,), the last
    one F; a state without frames was left out.
    """
    names = [in_context(some) for some in phones]
    phone_of = dict(zip(chain(*names), chain(*phones), strict=True))
    index = {name: place for place, name in enumerate(phone_of)}
    broad = {phone: place for place, phone in enumerate(dict.fromkeys(phone_of.values()))}
    narrow = np.zeros((len(index), STATES, 2 + 2 * features[0].shape[1]))
    for x, some, edges in zip(features, names, bounds, strict=True):
        frames = np.diff(edges)
        sums = _sums(x, edges)
        rows = np.concatenate([(frames > 0)[:, None], frames[:, None], sums], axis=1)
        np.add.at(narrow, [index[name] for name in some], rows.reshape(-1, STATES, rows.shape[1]))
    whole = np.zeros((len(broad), *narrow.shape[1:]))
    to_broad = [broad[phone_of[name]] for name in index]
    np.add.at(whole, to_broad, narrow)
    return _models(index, narrow, whole[to_broad])


def _sums(x: NDArray[np.float32], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """(S, 2C): sums of the features, and of their squares, over each state's frames."""
    both = np.concatenate([x, x**2], axis=1, dtype=np.float64)
    running = np.concatenate([np.zeros((1, both.shape[1])), np.cumsum(both, axis=0)])
    result: NDArray[np.float64] = np.diff(running[edges], axis=0)
    return result


def _models(
    index: dict[str, int], narrow: NDArray[np.float64], broad: NDArray[np.float64]
) -> PhoneModels:
    """Both (V, STATES, 2 + 2C): visits, frames, sums and sums of squares."""
    of_all = np.zeros(narrow.shape[2])
    of_all[:2], of_all[2 + (len(of_all) - 2) // 2 :] = 1, 1  # mean 0, variance 1
    leaning = broad + _LEAN_ON_ALL * of_all
    leaning = narrow + _LEAN_ON_PHONE * leaning / leaning[..., 1:2]
    visits, frames, sums = leaning[..., 0], leaning[..., 1], leaning[..., 2:] / leaning[..., 1:2]
    mean, square = np.split(sums, 2, axis=2)
    variance = np.maximum(square - mean**2, _LEAST_VARIANCE)
    return PhoneModels(index, mean, 1 / variance, np.clip(1 - visits / frames, 0.05, 0.99))
