"""Words joined to one recording: each whole and in its place, in noise as loud as their rooms."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from wn_runtime.speech.labels import Segment
from wn_train.data.corpus import Recording
from wn_train.features.joining import EDGE_S, GAP_S, groups, joined

RATE = 8000


def word(
    hertz: float, noise: float, seconds: float = 0.3
) -> tuple[np.ndarray, tuple[Segment, ...]]:
    """A tone between two silences, with labels."""
    t = np.arange(round(seconds * RATE)) / RATE
    inside = (t >= 0.1) & (t < 0.2)
    hiss = np.random.default_rng(int(hertz)).normal(0, noise, len(t))
    audio = (0.5 * np.sin(2 * np.pi * hertz * t) * inside + hiss).astype(np.float32)
    return audio, (
        Segment("sil", 0, 0.1), Segment("AA", 0.1, 0.2), Segment("sil", 0.2, seconds)
    )  # fmt: skip


def test_words_are_where_their_labels_say() -> None:
    parts = [word(500, 1e-3), word(900, 1e-3), word(1300, 1e-3)]
    made = joined(parts, RATE, np.random.default_rng(0))
    assert [segment.phone for segment in made.segments] == ["sil", "AA"] * 3 + ["sil"]
    assert made.segments[0].start == 0
    assert round(made.segments[-1].end * RATE) == len(made.audio)
    for one, following in itertools.pairwise(made.segments):
        assert one.end == following.start
    for (audio, _), segment in zip(parts, made.segments[1::2], strict=True):
        start = round(segment.start * RATE)
        np.testing.assert_array_equal(made.audio[start : start + 800], audio[800:1600])


def test_silences_are_as_long_as_they_may_be_and_as_loud_as_the_room() -> None:
    parts = [word(500 + i, 1e-2) for i in range(20)]
    made = joined(parts, RATE, np.random.default_rng(1))
    inner = [segment.seconds - 0.2 for segment in made.segments[2:-1:2]]
    assert GAP_S[0] - 1e-3 <= min(inner) <= max(inner) <= GAP_S[1] + 1e-3
    assert EDGE_S[0] <= made.segments[0].seconds - 0.1 <= EDGE_S[1]
    edge = made.audio[: round(EDGE_S[0] * RATE)]
    assert 0.5e-2 < np.sqrt(np.mean(edge**2)) < 1.5e-2
    for segment in made.segments[::2]:
        between = made.audio[round(segment.start * RATE) : round(segment.end * RATE)]
        assert np.abs(between).max() < 0.06, "no clicks where they are joined"


def test_the_same_seed_joins_the_same() -> None:
    parts = [word(500, 1e-2), word(600, 1e-2)]
    one, two = (joined(parts, RATE, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.audio, two.audio)
    other = joined(parts, RATE, np.random.default_rng(4))
    assert len(one.audio) != len(other.audio)


def test_groups_hold_every_recording_once_and_only_its_like() -> None:
    recordings = [
        Recording(Path(f"{i}.wav"), ("train", "valid")[i % 5 == 0], {"speaker": "ab"[i % 2]})
        for i in range(37)
    ]
    found = groups(recordings, 4, np.random.default_rng(0))
    assert sorted(itertools.chain(*found)) == list(range(37))
    for group in found:
        assert len(group) <= 4
        assert len({(recordings[i].split, recordings[i].values["speaker"]) for i in group}) == 1
