"""What a model in training is asked to say is what was recorded, where it was recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models.specs import MOOD, PLAIN, SPEAKER, small_spec
from tests.train.framed import Framed
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_train.data.audio import Utterance
from wn_train.data.corpus import Recording
from wn_train.training.samples import RECORDINGS, choose, frames_of

FRAMED = Framed(hop=4, block=4, lookahead=4)
BOTH = small_spec(conditions=(SPEAKER, MOOD))


def held_back(number: int, frames: int | None = None, **values: str) -> Utterance:
    return Utterance(
        Recording(Path(f"{number}.wav"), "valid", values),
        np.full(40, number, np.uint8),
        None if frames is None else np.full((frames, 3), number, np.float32),
    )


def test_each_value_of_the_first_condition_follows_a_recording_of_it() -> None:
    given = [
        held_back(1, speaker="bob", mood="loud"),
        held_back(2, speaker="ann", mood="calm+loud"),
        held_back(3, speaker="ann", mood="calm"),
    ]
    samples = choose(given, BOTH, 25)
    assert [each.label for each in samples] == [
        "speaker=ann mood=calm+loud",
        "speaker=bob mood=loud",
        "speaker=eve mood=calm",
    ]
    assert [each.conditions["mood"] for each in samples] == ["calm+loud", "loud", "calm"]
    ann, bob, eve = (each.recording for each in samples)
    assert ann is not None
    assert bob is not None
    assert (ann.tolist(), bob.tolist(), eve) == ([2] * 25, [1] * 25, None)
    assert ann.dtype == BOTH.output.sample_dtype


def test_what_a_recording_does_not_say_is_not_asked_for() -> None:
    (ann, *_) = choose([held_back(1, speaker="ann", mood="")], BOTH, 25)
    assert (ann.label, ann.conditions) == ("speaker=ann", {"speaker": "ann"})


def test_two_tags_of_one_recording_are_one_sample() -> None:
    spec = small_spec(conditions=(MOOD,))
    samples = choose([held_back(1, mood="calm+loud")], spec, 25)
    assert [each.label for each in samples] == ["mood=calm+loud"]


def test_a_model_without_conditions_is_asked_once_and_held_against_a_recording() -> None:
    (sample,) = choose([held_back(1), held_back(2)], PLAIN, 25)
    assert (sample.label, sample.conditions) == ("unconditional", {})
    assert sample.recording is not None
    assert sample.recording.tolist() == [1] * 25


def test_a_vocoder_follows_the_first_recordings() -> None:
    spec = small_spec(conditioning=(FRAMED,))
    samples = choose([held_back(i, frames=10) for i in range(9)], spec, 25)
    assert [each.label for each in samples] == [f"recording {i}" for i in range(RECORDINGS)]
    frames = frames_of(samples, spec, 25, np.full(3, 7, np.float32))
    assert frames is not None
    assert frames.shape == (8, RECORDINGS, 3)  # 7 hops and one ahead
    assert [set(frames[:, i].ravel()) for i in range(RECORDINGS)] == [{0}, {1}, {2}]


def test_beyond_a_recordings_frames_and_without_one_there_is_the_mean() -> None:
    spec = small_spec(conditioning=(GlobalConditions((SPEAKER,)), FRAMED))
    samples = choose([held_back(5, frames=2, speaker="bob")], spec, 25)
    frames = frames_of(samples, spec, 25, np.full(3, 7, np.float32))
    assert frames is not None
    assert set(frames[:, 0].ravel()) == {7}
    assert frames[:, 1, 0].tolist() == [5, 5, 7, 7, 7, 7, 7, 7]
    assert frames_of(samples, PLAIN, 25, np.zeros(0, np.float32)) is None


@pytest.mark.parametrize("count", [3, 50])
def test_so_many_values_as_fit(count: int) -> None:
    values = tuple(f"v{i}" for i in range(count))
    spec = small_spec(conditions=(type(SPEAKER)("x", "categorical", values),))
    assert len(choose([held_back(0, x="v1")], spec, 25)) == min(8, count)
