"""What audio goes through after its samples: exact however it is cut, and undone for training."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.models.specs import small_spec
from wn_runtime.errors import WavestepError
from wn_runtime.model.postprocess import Postprocess
from wn_runtime.model.spec import ModelSpec

FILTER = Postprocess(0.85, 1 / 0.55)


def test_it_is_the_recursion_that_it_says() -> None:
    x = np.random.default_rng(0).uniform(-0.1, 0.1, (50, 2)).astype(np.float32)
    found, memory = FILTER.apply(x, FILTER.start(2))
    y, expected = np.zeros(2), []
    for row in x.astype(np.float64):
        y = row + 0.85 * y
        expected.append(np.clip(y / 0.55, -1, 1))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(memory, y, rtol=1e-12)


def test_pieces_of_any_sizes_are_one_pass_to_the_last_bit() -> None:
    x = np.random.default_rng(1).uniform(-0.3, 0.3, (100, 3)).astype(np.float32)
    whole, last = FILTER.apply(x, FILTER.start(3))
    memory, parts = FILTER.start(3), []
    for piece in np.split(x, [1, 1, 30, 31, 77]):
        kept = memory.copy()
        part, following = FILTER.apply(piece, memory)
        assert np.array_equal(memory, kept)
        parts.append(part)
        memory = following
    assert np.array_equal(np.concatenate(parts), whole)
    assert np.array_equal(memory, last)


def test_nothing_is_asked_of_it_by_default() -> None:
    x = np.full((3, 1), 0.7, np.float32)
    found, memory = Postprocess().apply(x, Postprocess().start(1))
    assert found is x
    assert not memory.any()
    assert "postprocess" in small_spec().to_dict()


def test_what_a_model_is_shown_sounds_as_it_was() -> None:
    spec = small_spec(classes=65536, postprocess=FILTER)
    audio = 0.3 * np.sin(np.arange(300) / 5).astype(np.float32)
    again = spec.decode(spec.encode(audio)[:, None])[:, 0]
    assert np.abs(again - audio).max() < 1e-3
    assert np.abs(spec.output.decode(spec.encode(audio)) - audio).max() > 0.1
    plain = small_spec(classes=65536)
    assert np.array_equal(plain.encode(audio), plain.output.encode(audio))


def test_it_is_part_of_the_spec_and_checked() -> None:
    spec = small_spec(postprocess=FILTER)
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    for changes, message in (
        ({"deemphasis": 1.0}, "deemphasis is 1.0; it must be 0 to below 1"),
        ({"gain": 0.0}, "gain is 0.0; it must be 0.001 to 1000"),
    ):
        data = spec.to_dict()
        data["postprocess"] |= changes
        with pytest.raises(WavestepError, match=message):
            ModelSpec.from_dict(data)
