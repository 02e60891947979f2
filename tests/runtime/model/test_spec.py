"""The spec: strict in, the same out, and errors that name the key and the value."""

import dataclasses

import pytest

from tests import specs
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model.spec import Condition, ModelSpec


@pytest.mark.parametrize("name", specs.CORNERS)
def test_a_spec_survives_its_own_dictionary(name):
    spec = specs.CORNERS[name]
    assert ModelSpec.from_dict(spec.to_dict()) == spec


def test_receptive_field_and_state_follow_from_the_dilations():
    small = ModelSpec(8000, tuple(1 << (i % 10) for i in range(20)))
    assert (small.receptive_field, small.state_rows) == (2047, 2046)
    wide = dataclasses.replace(small, kernel=3, input_kernel=2)
    assert (wide.receptive_field, wide.state_rows) == (2 + 2 * 2046, 2 * 2046)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": 1}, "kernel is 1; it must be at least 2"),
        ({"sample_rate": 10**12}, "sample_rate is 1000000000000; it must be at most 1000000"),
        ({"gate": 15}, "gate is 15; it must be even"),
        ({"dilations": []}, "give at least one"),
        ({"dilations": [1, 0]}, "each 1 or more"),
        ({"residual_scale": 0.0}, "residual_scale is 0.0"),
        ({"residual": "8"}, "residual: expected int, got '8'"),
        ({"residual": True}, "residual: expected int, got True"),
        ({"dilation": [1]}, r"key 'dilation' is unknown.*did you mean 'dilations'"),
        ({"conditions": [{"name": "a b", "kind": "tags", "values": ["x"]}]}, "not an identifier"),
        ({"conditions": [{"name": "a", "kind": "tag", "values": ["x"]}]}, "did you mean 'tags'"),
        ({"conditions": [{"name": "a", "kind": "tags", "values": ["x", "x"]}]}, "each once"),
        ({"conditions": [{"name": "a", "kind": "tags", "values": ["x"]}] * 2}, "not unique"),
    ],
)
def test_a_wrong_spec_is_one_line_that_says_what(change, message):
    with pytest.raises(WavestepError, match=message) as error:
        ModelSpec.from_dict({**specs.PLAIN.to_dict(), **change}, "voice")
    assert str(error.value).startswith("voice")
    assert "\n" not in str(error.value)


def test_a_missing_key_and_another_type_are_told():
    with pytest.raises(WavestepError, match="key 'dilations' is missing"):
        ModelSpec.from_dict({"sample_rate": 8000})
    with pytest.raises(WavestepError, match="expected a table of keys, got 3"):
        ModelSpec.from_dict(3)


def test_a_condition_takes_names_first_then_indices():
    digits = Condition("digit", "categorical", ("9", "8", "7"))
    assert digits.index("7") == 2
    assert digits.index(8) == 1
    assert digits.index(0) == 0  # no value is called 0, so it is an index
    assert specs.SPEAKER.index("eve") == specs.SPEAKER.index(2) == specs.SPEAKER.index("2") == 2


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("eva", "speaker 'eva' is unknown; this model has: ann, bob, eve .did you mean 'eve'"),
        (3, "speaker index 3 is out of range; this model has 3: 0 to 2"),
        (-1, "speaker index -1 is out of range"),
    ],
)
def test_an_unknown_value_is_told_with_the_known_ones(value, message):
    with pytest.raises(WavestepError, match=message):
        specs.SPEAKER.index(value)


def test_an_unknown_condition_is_told_with_the_known_ones():
    with pytest.raises(WavestepError, match="condition 'speeker' is unknown; this model has: spea"):
        specs.CORNERS["one_condition"].condition("speeker")
    assert unknown("x", "y", []) == "x 'y' is unknown; known are: none"
