"""Re-alignment: boundaries that were off come to where the sound changes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.train.alignment.voices import RATE, SIX, bounds_of, spoken
from wn_runtime.speech.labels import Segment
from wn_train.alignment import viterbi
from wn_train.alignment.viterbi import Heard, Segments, heard, realigned
from wn_train.data.decoding import Faulty


def said_differently(count: int = 20) -> tuple[list[Heard], list[list[float]]]:
    """The same word in many tempos, its boundaries shifted at random; and where they belong."""
    rng = np.random.default_rng(3)
    recordings, truths = [], []
    for seed in range(count):
        said = [(phone, seconds * rng.uniform(0.8, 1.3)) for phone, seconds in SIX]
        sound = spoken(said, seed, pitch=rng.uniform(90, 130))
        truth = bounds_of(said)
        shifted = np.array([0, *truth])
        shifted[1:-1] += rng.uniform(-0.03, 0.03, len(truth) - 1)
        shifted[-1] = len(sound) / RATE
        segments = tuple(
            Segment(phone, float(a), float(b))
            for (phone, _), a, b in zip(said, shifted, shifted[1:], strict=False)
        )
        recordings.append(heard(sound, RATE, segments, "rule"))
        truths.append(truth[:-1])
    return recordings, truths


def off(found: list[Segments], truths: list[list[float]]) -> float:
    """Median ms."""
    errors = [
        np.abs(np.subtract([s.end for s in segments[:-1]], truth))
        for segments, truth in zip(found, truths, strict=True)
    ]
    return 1000 * float(np.median(np.concatenate(errors)))


def test_boundaries_come_nearer() -> None:
    recordings, truths = said_differently()
    before = off([recording.segments for recording in recordings], truths)
    calls = []
    found = realigned(recordings, 2, lambda: calls.append(1))
    assert len(calls) == 40
    for segments, recording in zip(found, recordings, strict=True):
        assert [s.phone for s in segments] == [s.phone for s in recording.segments]
        assert segments[0].start == 0
        assert segments[-1].end == recording.segments[-1].end
        assert all(a.end == b.start for a, b in itertools.pairwise(segments))
    assert before > 12
    assert off(found, truths) < 7


def test_silence_comes_where_there_was_none_and_goes() -> None:
    recordings, _ = said_differently()
    with_silence = recordings[0].segments
    first, last = with_silence[1], with_silence[-2]
    without = (
        Segment(first.phone, 0.0, first.end),
        *with_silence[2:-2],
        Segment(last.phone, last.start, with_silence[-1].end),
    )
    recordings[0] = Heard(
        recordings[0].features, recordings[0].above, recordings[0].step, without, "rule"
    )
    found = realigned(recordings, 1)[0]
    assert [s.phone for s in found] == [phone for phone, _ in SIX]


@pytest.mark.parametrize("cut", [1, 7, 18, 39])
def test_a_recording_cut_in_its_last_phone_ends_with_it(cut: int) -> None:
    recordings, _ = said_differently()
    said = SIX[:-1]
    sound = spoken(said)[:-cut]
    times = [0.0, *bounds_of(said)[:-1], len(sound) / RATE]
    segments = tuple(
        Segment(phone, a, b)
        for (phone, _), (a, b) in zip(said, itertools.pairwise(times), strict=True)
    )
    found = realigned([*recordings, heard(sound, RATE, segments, "rule")], 1)[-1]
    assert [s.phone for s in found] == [phone for phone, _ in said]
    assert found[-1].end == len(sound) / RATE
    assert all(a.end == b.start for a, b in itertools.pairwise(found))


def test_too_short_for_its_states_keeps_what_it_has() -> None:
    recordings, _ = said_differently(3)
    segments = (Segment("S", 0.0, 0.01), Segment("IH", 0.01, 0.02), Segment("K", 0.02, 0.03))
    short = heard(spoken([("S", 0.03)]), RATE, segments, "rule")
    kept = realigned([*recordings, short], 2)[-1]
    assert [(s.phone, round(s.end, 6)) for s in kept] == [("S", 0.01), ("IH", 0.02), ("K", 0.03)]


def test_no_rounds_and_no_recordings() -> None:
    recordings, _ = said_differently(2)
    assert realigned(recordings, 0) == [recording.segments for recording in recordings]
    assert realigned([], 2) == []


@pytest.mark.parametrize("rate", [8000, 11025, 22050])
def test_features_are_a_frame_a_step(rate: int) -> None:
    sound = spoken([("IH", 0.3)], rate=rate)
    one = heard(sound, rate, (Segment("IH", 0.0, len(sound) / rate),), "")
    assert one.features.shape == (len(one.above), 26)
    assert len(one.above) * one.step == pytest.approx(0.3, abs=one.step)


def test_silence_is_refused() -> None:
    with pytest.raises(Faulty, match="silent"):
        viterbi.heard(np.zeros(800, np.float32), RATE, (), "")
