"""Recordings of single words joined to one recording, so that a model learns what lies between.

    noise |word|  noise  |word| noise |word|  noise        noise of the words' own room

(A model of single words never sees a silence that a word follows.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_runtime.speech.labels import SILENCE, Segment
from wn_train.data.corpus import Recording

GAP_S, EDGE_S = (0.02, 0.15), (0.1, 0.25)
"""Seconds of noise between two words, and at both ends: the least and the most."""
_FADE_S = 0.005
_WINDOW_S = 0.032
_QUIETEST = 3
"""Windows of each recording that its room's noise is made of."""

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Joined:
    """One recording of several."""

    audio: Audio
    segments: tuple[Segment, ...]


def groups(
    recordings: Sequence[Recording], size: int, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Every recording once, in groups of `size` at most that agree in split and conditions."""
    alike: dict[tuple[str, ...], list[int]] = {}
    for number, recording in enumerate(recordings):
        alike.setdefault((recording.split, *recording.values.values()), []).append(number)
    found = []
    for numbers in alike.values():
        order = [numbers[i] for i in rng.permutation(len(numbers))]
        found += [tuple(order[i : i + size]) for i in range(0, len(order), size)]
    return found


def joined(
    parts: Sequence[tuple[Audio, tuple[Segment, ...]]], rate: int, rng: np.random.Generator
) -> Joined:
    """Words, each with the segments of its phones, one after the other in their rooms' noise."""
    fade = round(_FADE_S * rate)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade + 2)[1:-1]).astype(np.float32)
    ranges = [EDGE_S, *[GAP_S] * (len(parts) - 1), EDGE_S]
    gaps = [round(rng.uniform(*within) * rate) for within in ranges]
    audio = np.zeros(sum(gaps) + sum(len(word) for word, _ in parts), np.float32)
    rooms = [_quietest(word, rate) for word, _ in parts]
    segments: list[tuple[str, int, int]] = []
    time = 0
    for number, gap in enumerate(gaps):
        # Noise reaches a fade's length into the words on both sides, as they do into it.
        start, end = max(0, time - fade), min(len(audio), time + gap + fade)
        noise = _noise(np.concatenate(rooms[max(0, number - 1) : number + 1]), end - start, rng)
        if number:
            noise[:fade] *= ramp
        if number < len(parts):
            noise[-fade:] *= ramp[::-1]
        audio[start:end] += noise
        segments.append((SILENCE, time, time + gap))
        time += gap
        if number < len(parts):
            word, phones = parts[number]
            faded = word.copy()
            faded[:fade] *= ramp[: len(word)]
            faded[-fade:] *= ramp[::-1][-len(word) :]
            audio[time : time + len(word)] += faded
            ends = [time + round(phone.end * rate) for phone in phones]
            starts = [time, *ends[:-1]]
            segments += [
                (phone.phone, start, end)
                for phone, start, end in zip(phones, starts, ends, strict=True)
            ]
            time += len(word)
    return Joined(np.clip(audio, -1, 1), _merged(segments, rate))


def _merged(pieces: Sequence[tuple[str, int, int]], rate: int) -> tuple[Segment, ...]:
    """Silences that touch become one."""
    merged: list[tuple[str, int, int]] = []
    for phone, start, end in pieces:
        if merged and phone == SILENCE == merged[-1][0]:
            merged[-1] = (phone, merged[-1][1], end)
        else:
            merged.append((phone, start, end))
    return tuple(Segment(phone, start / rate, end / rate) for phone, start, end in merged)


def _quietest(audio: Audio, rate: int) -> Audio:
    """The windows (n, W) of a recording that have the least power."""
    window = round(_WINDOW_S * rate)
    if len(audio) < window:
        audio = np.resize(audio, window)
    every = np.lib.stride_tricks.sliding_window_view(audio, window)[:: max(1, window // 4)]
    power = (every.astype(np.float64) ** 2).mean(axis=1)
    quiet: Audio = np.array(every[np.argsort(power)[:_QUIETEST]])
    quiet -= quiet.mean(axis=1, keepdims=True)
    return quiet


def _noise(room: Audio, length: int, rng: np.random.Generator) -> Audio:
    """Windows (n, W) turned round at random and overlapped by half, their power kept."""
    window = room.shape[1]
    half = window // 2
    shape = np.sin(np.pi * (np.arange(window) + 0.5) / window).astype(np.float32)
    noise = np.zeros(length + 2 * window, np.float32)
    for start in range(0, length + window, max(1, half)):
        piece = np.roll(room[rng.integers(len(room))], rng.integers(window))
        noise[start : start + window] += piece * shape * rng.choice([-1, 1])
    return noise[half : half + length]
