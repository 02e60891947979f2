"""The spec: strict in, the same out, and errors that name the key and the value."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from tests.models import specs
from wn_runtime.conditioning.spec import Condition
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model.spec import ModelSpec


def conditioned_on(*conditions: dict[str, Any]) -> dict[str, Any]:
    """Keys of a spec with these global conditions."""
    return {"conditioning": [{"kind": "global", "named": list(conditions)}]}


@pytest.mark.parametrize("name", specs.CORNERS)
def test_a_spec_survives_its_own_dictionary(name: str) -> None:
    spec = specs.CORNERS[name]
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_head_and_conditioners_are_told_apart_by_kind() -> None:
    data = specs.CORNERS["two_conditions"].to_dict()
    assert data["output"] == {"kind": "softmax", "classes": 16, "coding": "mu-law"}
    assert [part["kind"] for part in data["conditioning"]] == ["global"]
    del data["output"], data["conditioning"]
    plain = ModelSpec.from_dict(data)
    assert (plain.output.kind, plain.output.codes, plain.conditions) == ("softmax", 256, ())


def test_receptive_field_and_state_follow_from_the_dilations() -> None:
    small = ModelSpec(8000, tuple(1 << (i % 10) for i in range(20)))
    assert (small.receptive_field, small.state_rows) == (2047, 2046)
    wide = dataclasses.replace(small, kernel=3, input_kernel=2)
    assert (wide.receptive_field, wide.state_rows) == (2 + 2 * 2046, 2 * 2046)


TAGS = {"name": "a", "kind": "tags", "values": ["x"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": 1}, "kernel is 1; it must be 2 to 256"),
        ({"sample_rate": 10**12}, "sample_rate is 1000000000000; it must be 1 to 1000000"),
        ({"gate_channels": 15}, "gate_channels is 15; it must be even"),
        ({"dilations": []}, "there are 0 dilations; give 1 to"),
        ({"dilations": [1, 0]}, "dilations are from 0 to 1; each must be 1"),
        ({"residual_scale": 0.0}, "residual_scale is 0.0"),
        ({"residual_channels": "8"}, "residual_channels: expected int, got '8'"),
        ({"residual_channels": True}, "residual_channels: expected int, got True"),
        ({"residual": 8}, r"key 'residual' is unknown"),
        ({"dilation": [1]}, r"key 'dilation' is unknown.*did you mean 'dilations'"),
        ({"output": {"classes": 16}}, "output: key 'kind' is missing; it is one of: softmax"),
        ({"output": {"kind": "sotfmax"}}, "output: kind 'sotfmax' is unknown.*mean 'softmax'"),
        ({"output": {"kind": "softmax", "classes": 1}}, "output: classes is 1; it must be 2 to"),
        ({"conditioning": [{"kind": "globe"}]}, r"conditioning\[0\]: kind 'globe'.*mean 'global'"),
        (conditioned_on(), "named is empty"),
        (conditioned_on({**TAGS, "name": "a b"}), "not an identifier"),
        (conditioned_on({**TAGS, "kind": "tag"}), "did you mean 'tags'"),
        (conditioned_on({**TAGS, "values": ["x", "x"]}), "has a value twice"),
        (conditioned_on(TAGS, TAGS), "not unique"),
    ],
)
def test_a_wrong_spec_is_one_line_that_says_what(change: dict[str, Any], message: str) -> None:
    with pytest.raises(WavestepError, match=message) as error:
        ModelSpec.from_dict({**specs.PLAIN.to_dict(), **change}, "voice")
    assert str(error.value).startswith("voice")
    assert "\n" not in str(error.value)


def test_two_conditioners_cannot_take_the_same_condition() -> None:
    twice = specs.CORNERS["one_condition"].to_dict()
    twice["conditioning"] *= 2
    with pytest.raises(WavestepError, match="condition names are not unique"):
        ModelSpec.from_dict(twice)


def test_a_missing_key_and_another_type_are_told() -> None:
    with pytest.raises(WavestepError, match="key 'dilations' is missing"):
        ModelSpec.from_dict({"sample_rate": 8000})
    with pytest.raises(WavestepError, match="expected a table of keys, got 3"):
        ModelSpec.from_dict(3)


def test_a_condition_takes_names_first_then_indices() -> None:
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
def test_an_unknown_value_is_told_with_the_known_ones(value: str | int, message: str) -> None:
    with pytest.raises(WavestepError, match=message):
        specs.SPEAKER.index(value)


def test_an_unknown_condition_is_told_with_the_known_ones() -> None:
    with pytest.raises(WavestepError, match="condition 'speeker' is unknown; this model has: spea"):
        specs.CORNERS["one_condition"].condition("speeker")
    assert unknown("x", "y", []) == "x 'y' is unknown; known are: none"
