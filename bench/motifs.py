"""Bars that repeat: a signal whose every onset is known to whoever remembers the bar before.

A clip is one bar, repeated: BAR samples of notes of random length, pitch and level, each a decaying
sine from phase 0, and a little noise over all. Within a note the last few samples tell what comes;
when the next begins, at which pitch and how loud, only the bar before does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wn_runtime.heads.head import Head
from wn_train.data.audio import Utterance, compact
from wn_train.data.corpus import Recording

RATE, BAR, BARS = 8000, 1024, 8
SHORTEST, LONGEST = 40, 120
"""Samples of a note."""
PITCHES = 2 * np.pi * np.geomspace(400, 2400, 8) / RATE
LEVELS = np.array([0.2, 0.6])
NOISE = 0.01


@dataclass(frozen=True)
class Clip:
    """Audio (T,), and which of its samples are the first of a note, from the second bar on."""

    audio: NDArray[np.float32]
    onsets: NDArray[np.int64]


def clip(rng: np.random.Generator) -> Clip:
    """A bar of its own, BARS times."""
    bar, starts, at = np.zeros(BAR), [], 0
    while at < BAR:
        length = min(int(rng.integers(SHORTEST, LONGEST + 1)), BAR - at)
        t = np.arange(length)
        note = rng.choice(LEVELS) * np.sin(t * rng.choice(PITCHES)) * np.exp(-t / LONGEST)
        bar[at : at + length] = note
        starts.append(at)
        at += length
    audio = np.tile(bar, BARS) + rng.normal(0, NOISE, BAR * BARS)
    onsets = [start + BAR * number for number in range(1, BARS) for start in starts]
    return Clip(audio.astype(np.float32), np.array(onsets))


def utterance(made: Clip, head: Head, split: str, number: int) -> Utterance:
    """As wn-train has it."""
    recording = Recording(Path(f"{split}-{number}.wav"), split, {})
    return Utterance(recording, compact(head, head.encode(made.audio)))
