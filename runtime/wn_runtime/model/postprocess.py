"""What a model's audio goes through after its samples are decoded: a filter with a memory.

    y[t] = x[t] + deemphasis * y[t-1]        audio = clip(y * gain)

Models that were trained on audio with its treble raised and its level lowered (LPCNet, r9y9's
recipes) sound right only so. The memory is part of a stream, and of its snapshot.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_GAIN = 1000.0


@dataclass(frozen=True)
class Postprocess:
    """The defaults leave audio as it is."""

    deemphasis: float = 0.0
    """0 to below 1: what of a sample of output stays in the next."""
    gain: float = 1.0
    """Factor on what comes out, before it is clipped."""

    def __post_init__(self) -> None:
        if not 0 <= self.deemphasis < 1:
            raise ValueError(f"deemphasis is {self.deemphasis}; it must be 0 to below 1")
        if not 1 / MOST_GAIN <= self.gain <= MOST_GAIN:
            raise ValueError(f"gain is {self.gain}; it must be {1 / MOST_GAIN} to {MOST_GAIN:g}")

    @property
    def does_nothing(self) -> bool:
        """Whether audio stays as it is."""
        return self == Postprocess()

    def start(self, streams: int) -> NDArray[np.float64]:
        """The memory (B,) before the first sample: y[-1] is 0."""
        return np.zeros(streams)

    def apply(
        self, audio: NDArray[np.float32], memory: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Decoded audio (T, B) and the memory (B,) -> audio to be heard, and the next memory.

        Sample by sample, so that the last bit does not depend on how a stream is read.
        """
        if self.does_nothing or not len(audio):
            return audio, memory
        filtered, following = audio.astype(np.float64), memory
        if self.deemphasis:
            for stream, before in enumerate(memory.tolist()):
                filtered[:, stream] = self._filtered(filtered[:, stream].tolist(), before)
            following = filtered[-1].copy()
        heard: NDArray[np.float32] = np.clip(filtered * self.gain, -1, 1).astype(np.float32)
        return heard, following

    def undo(self, audio: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Audio (T,) as the model was shown it: x of which `apply` makes it, from silence on."""
        y = np.asarray(audio, np.float64) / self.gain
        x: NDArray[np.float64] = y - self.deemphasis * np.concatenate([[0.0], y[:-1]])
        return x

    def _filtered(self, x: list[float], before: float) -> list[float]:
        factor = self.deemphasis
        every = itertools.accumulate(x, lambda y, new: new + factor * y, initial=before)
        next(every)
        return list(every)
