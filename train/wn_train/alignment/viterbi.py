"""Boundaries made better by the recordings themselves: rounds of fitting and re-aligning.

pocketsphinx hears frames of 10 ms with a model of other voices at 16 kHz. Here the phones are
fitted as these recordings say them, on its boundaries, and each recording is aligned anew with
what was fitted. Silence at the ends, and where it was heard between words, may come and go; it pays
for what is loud, and a phone for what is quiet outside of the sound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_runtime.speech.labels import SILENCE, Segment
from wn_train.alignment import ends
from wn_train.alignment.best_path import best_path
from wn_train.alignment.cepstra import cepstra, standardise
from wn_train.alignment.phone_models import STATES, PhoneModels, fit

ROUNDS = 2
"""More change little (bench/results/alignment.txt)."""
_PER_DB = 0.3
"""What a decibel on the wrong side costs a frame, in nats."""
Segments = tuple[Segment, ...]


@dataclass(frozen=True)
class Heard:
    """What is kept of a recording for the rounds."""

    features: NDArray[np.float32]
    """(F, C)."""
    above: NDArray[np.float32]
    """(F,): dB above what counts as sound; 0 where it is quiet within."""
    step: float
    """Seconds from frame to frame, about 5 ms."""
    segments: Segments
    """The boundaries to begin with."""
    voice: str
    """Whose it is: voices are standardised apart."""


def heard(audio: NDArray[np.float32], rate: int, segments: Segments, voice: str) -> Heard:
    """Of audio (T,). Raises Faulty where it is silent."""
    above = ends.outside(ends.prominence(audio, rate)).astype(np.float32)
    return Heard(cepstra(audio, rate), above, ends.hop(rate) / rate, segments, voice)


def realigned(
    recordings: Sequence[Heard], rounds: int, after_each: Callable[[], None] = lambda: None
) -> list[Segments]:
    """New segments of each recording; their phones are what they were.

    The recordings' features are standardised in place. One with fewer frames than states keeps
    what it has. after_each is called rounds times for each recording.
    """
    if not recordings or not rounds:
        return [recording.segments for recording in recordings]
    features = [recording.features for recording in recordings]
    standardise(features, [recording.voice for recording in recordings])
    phones = [_phones(recording.segments) for recording in recordings]
    bounds = [_bounds(one, names) for one, names in zip(recordings, phones, strict=True)]
    for _ in range(rounds):
        models = fit(features, phones, bounds)
        for place, recording in enumerate(recordings):
            found = _aligned(models, recording, phones[place])
            bounds[place] = bounds[place] if found is None else found
            after_each()
    return [
        _segments(recording, names, edges)
        for recording, names, edges in zip(recordings, phones, bounds, strict=True)
    ]


def _phones(segments: Segments) -> list[str]:
    """With silence at both ends, whether it was there or not."""
    names = [segment.phone for segment in segments]
    return [SILENCE] * (names[0] != SILENCE) + names + [SILENCE] * (names[-1] != SILENCE)


def _bounds(recording: Heard, names: Sequence[str]) -> NDArray[np.int64]:
    """First frame of each state, a phone's in equal parts; silence that was not there has none."""
    segments, frames = recording.segments, len(recording.features)
    edges = [0.0, *(segment.end for segment in segments)]
    edges = [0.0] * (segments[0].phone != SILENCE) + edges
    edges = edges + [edges[-1]] * (segments[-1].phone != SILENCE)
    of_states = np.interp(np.arange(len(names) * STATES + 1) / STATES, np.arange(len(edges)), edges)
    found = np.minimum(np.round(of_states / recording.step), frames).astype(np.int64)
    found[-1] = frames
    return found


def _aligned(
    models: PhoneModels, recording: Heard, names: Sequence[str]
) -> NDArray[np.int64] | None:
    scores = models.scores(recording.features, names)
    silence = np.repeat([name == SILENCE for name in names], STATES)
    above = recording.above[:, None]
    scores -= _PER_DB * np.where(silence, np.maximum(above, 0), np.maximum(-above, 0))
    try:
        return best_path(scores, models.staying(names), silence)
    except ValueError:
        return None


def _segments(recording: Heard, names: Sequence[str], bounds: NDArray[np.int64]) -> Segments:
    end = recording.segments[-1].end  # the last frame reaches beyond it
    times = [*(min(float(edge) * recording.step, end) for edge in bounds[:-1:STATES]), end]
    return tuple(
        Segment(name, times[place], times[place + 1])
        for place, name in enumerate(names)
        if times[place + 1] > times[place]
    )
