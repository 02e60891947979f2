"""The conditioner: names to gate biases, and biases cut for engines."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.law.conditioners import verify_conditioner_contract
from tests.models import specs
from tests.models.specs import MOOD, SPEAKER, random_samples, random_weights, small_spec
from wn_runtime.conditioning import conditioner as conditioners
from wn_runtime.conditioning.conditioner import Conditioner, Values
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.errors import WavestepError

SPEC = specs.CORNERS["two_conditions"]
WEIGHTS = specs.random_weights(SPEC)
SPEAKERS, MOODS = WEIGHTS["condition.speaker.weight"], WEIGHTS["condition.mood.weight"]
CONDITIONER = Conditioner(SPEC, WEIGHTS)


def bias_of(conditions: Mapping[str, Any], streams: int = 2) -> NDArray[np.float32]:
    """What holds over the whole of those streams, (L, B, G)."""
    bias = CONDITIONER.whole(conditions, streams, 24)
    assert bias is not None
    (only,) = bias
    return np.asarray(only)


def test_global_conditions_obey_the_contract() -> None:
    samples = random_samples(SPEC, 24, 2)
    conditions: dict[str, Values] = {"speaker": ["bob", 0], "mood": "calm"}
    verify_conditioner_contract(CONDITIONER, conditions, None, samples)


def test_values_add_up_over_conditions_and_tags() -> None:
    bias = bias_of({"speaker": ["bob", 0], "mood": ["calm+loud", ""]})
    assert bias.shape == (SPEC.layers, 2, SPEC.gate_channels)
    np.testing.assert_allclose(bias[:, 0], SPEAKERS[1] + MOODS[0] + MOODS[1], rtol=1e-6)
    np.testing.assert_allclose(bias[:, 1], SPEAKERS[0], rtol=1e-6)


def test_a_set_is_the_tags_of_one_stream() -> None:
    joined = bias_of({"mood": ["calm+loud", "loud"]})
    assert (bias_of({"mood": [{"loud", "calm"}, frozenset({1})]}) == joined).all()
    assert (bias_of({"mood": {"loud", 0}})[:, 1] == joined[:, 0]).all()
    assert not bias_of({"mood": set()}).any()


def test_a_set_where_there_are_no_tags_and_a_set_of_other_things_are_refused() -> None:
    with pytest.raises(TypeError, match="speaker must be a name or an index, not set"):
        bias_of({"speaker": {"ann"}})
    with pytest.raises(TypeError, match=r"mood must be a name or an index, not float \(0\.5\)"):
        bias_of({"mood": {"calm", 0.5}})
    with pytest.raises(WavestepError, match=r"mood 'lud' is unknown.*did you mean 'loud'"):
        bias_of({"mood": {"calm", "lud"}})


def test_conditioners_of_a_model_add_up() -> None:
    parts = (GlobalConditions((SPEAKER,)), GlobalConditions((MOOD,)))
    apart = small_spec(conditioning=parts)
    assert apart.conditions == SPEC.conditions
    conditions: dict[str, Values] = {"speaker": "eve", "mood": ["loud", "calm"]}
    bias = Conditioner(apart, WEIGHTS).whole(conditions, 2, 24)
    assert bias is not None
    np.testing.assert_allclose(bias[0], bias_of(conditions), rtol=1e-6)


def test_an_index_may_be_numpys() -> None:
    expected = bias_of({"speaker": 2})
    assert (bias_of({"speaker": np.int64(2)}) == expected).all()
    assert (bias_of({"speaker": np.array([2, 2])}) == expected).all()
    with pytest.raises(TypeError, match=r"speaker must be a name or an index, not float \(2\.5\)"):
        bias_of({"speaker": 2.5})


def test_one_value_serves_all_streams_and_none_adds_nothing() -> None:
    bias = bias_of({"speaker": "eve"}, 3)
    assert (bias[:, 0] == bias[:, 2]).all()
    assert not bias_of({}).any()


def test_a_model_without_conditions_has_no_bias() -> None:
    plain = Conditioner(specs.PLAIN, random_weights(specs.PLAIN))
    assert plain.start({}, 2) == {}
    assert plain.block({}, 5) == (None, {})
    assert plain.whole({}, 2, 5) is None


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"speaker": "zoe"}, "speaker 'zoe' is unknown; this model has: ann, bob, eve"),
        ({"speaker": 3}, "speaker index 3 is out of range"),
        ({"mood": "calm+lud"}, "mood 'lud' is unknown.*did you mean 'loud'"),
        ({"moood": "calm"}, "condition 'moood' is unknown"),
        ({"speaker": ["ann", "bob", "eve"]}, "speaker has 3 values .* one a stream$"),
        (
            {"mood": ["calm"]},
            "mood has 1 values .* one a stream; the tags of one are a set, or a",
        ),
    ],
)
def test_mistakes_are_named(conditions: dict[str, Values], message: str) -> None:
    with pytest.raises(WavestepError, match=message):
        CONDITIONER.start(conditions, 2)


def rows(count: int) -> NDArray[np.float32]:
    """A bias of so many rows, each of its own number: (N, L=1, B=1, G=2)."""
    return np.tile(np.arange(count, dtype=np.float32)[:, None, None, None], (1, 1, 1, 2))


def test_biases_held_for_different_times_are_added_sample_by_sample() -> None:
    for one, other in ((rows(2), rows(6)), (rows(6), rows(2))):
        total = conditioners.added(one, other)
        assert total[:, 0, 0, 0].tolist() == [0, 1, 2, 4, 5, 6]
    assert conditioners.added(rows(1) + 5, rows(3))[:, 0, 0, 0].tolist() == [5, 6, 7]


@pytest.mark.parametrize("count", [1, 2, 3, 6, 12])
def test_a_piece_of_a_bias_is_what_an_engine_takes_and_holds_as_the_whole_does(count: int) -> None:
    """For every cut of a block of 12: whole rows or part of one, and each sample has its row."""
    bias, size = rows(count), 12
    each = np.repeat(bias, size // count, axis=0)
    for start, end in itertools.combinations(range(size + 1), 2):
        found = conditioners.pieces(bias, size, start, end - start)
        assert sum(samples for _, samples in found) == end - start
        assert len(found) <= 3  # the rest of a row, whole rows, the beginning of a row
        held = []
        for part, samples in found:
            assert part is not None
            assert samples % len(part) == 0
            held.append(np.repeat(part, samples // len(part), axis=0))
        np.testing.assert_array_equal(np.concatenate(held), each[start:end])


def test_pieces_of_what_never_changes_are_one() -> None:
    assert conditioners.pieces(None, 12, 5, 6) == [(None, 6)]
    assert conditioners.pieces(None, 12, 5, 0) == []
    constant = rows(1)
    assert conditioners.pieces(constant, 12, 5, 6) == [(constant, 6)]


@pytest.mark.parametrize("samples", range(13))
def test_a_bias_is_cut_to_the_samples_that_are_wanted(samples: int) -> None:
    for count in (1, 3, 12):
        bias = conditioners.cut(rows(count), 12, samples)
        assert bias is not None
        if count == 1:
            assert len(bias) == 1
            continue
        each = np.repeat(bias, samples // max(1, len(bias)), axis=0)
        expected = np.repeat(rows(count), 12 // count, axis=0)[:samples]
        np.testing.assert_array_equal(each, expected)


def test_frames_of_another_shape_are_told_and_short_ones_go_on_as_zeros() -> None:
    frames = np.ones((3, 2, 5), np.float32)
    conditioners.check_frames(frames, 3, 5)
    for wrong, message in (
        (None, "takes frames; give them"),
        (frames[:2], r"frames are \(2, 2, 5\); this block takes \(3, streams, 5\)"),
        (frames[:, 0], r"frames are \(3, 5\)"),
    ):
        with pytest.raises(WavestepError, match=message):
            conditioners.check_frames(wrong, 3, 5)
    padded = conditioners.padded_frames(frames, 5)
    assert padded.shape == (5, 2, 5)
    assert padded[:3].all()
    assert not padded[3:].any()
    assert conditioners.padded_frames(frames, 2).shape == (2, 2, 5)
    with pytest.raises(WavestepError, match="takes frames; give them"):
        conditioners.padded_frames(None, 5)
