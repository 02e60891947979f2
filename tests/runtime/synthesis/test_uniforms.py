"""Randomness as an input: integers of 24 bits, the same for a seed, a stream and a position."""

from __future__ import annotations

import numpy as np
import pytest

from wn_runtime.synthesis import uniforms
from wn_runtime.synthesis.uniforms import UniformStream


def test_they_do_not_depend_on_how_many_are_drawn_at_a_time() -> None:
    whole = UniformStream(7).draw(100)
    pieces = UniformStream(7)
    parts = [pieces.draw(n) for n in (1, 2, 0, 30, 67)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert pieces.position == 100


@pytest.mark.parametrize("position", [0, 1, 4, 5, 63])
def test_a_stream_can_be_resumed_anywhere(position: int) -> None:
    whole = UniformStream(7, 2).draw(80)
    resumed = UniformStream(7, 2, position)
    assert np.array_equal(resumed.draw(10), whole[position : position + 10])
    assert resumed.position == position + 10


def test_streams_and_seeds_differ() -> None:
    one = UniformStream(7).draw(50)
    for other in (
        UniformStream(7, 1),
        UniformStream(8),
        UniformStream(-7),
        UniformStream(7 + 2**63),
    ):
        assert not np.array_equal(other.draw(50), one)


def test_a_batch_is_its_streams_side_by_side() -> None:
    batch = uniforms.uniforms(7, 3, 50)
    assert batch.shape == (50, 3, 1)
    for stream in range(3):
        assert np.array_equal(batch[:, stream, 0], UniformStream(7, stream).draw(50))


def test_a_head_that_takes_several_a_sample_gets_them_in_order() -> None:
    whole = UniformStream(7).draw(60)
    streams = [UniformStream(7), UniformStream(8)]
    pieces = [uniforms.draw(streams, steps, 3) for steps in (1, 0, 12, 7)]
    assert [piece.shape for piece in pieces] == [(1, 2, 3), (0, 2, 3), (12, 2, 3), (7, 2, 3)]
    assert np.array_equal(np.concatenate(pieces)[:, 0].ravel(), whole)
    assert np.array_equal(uniforms.uniforms(7, 1, 20, 3)[:, 0].ravel(), whole)


def test_every_integer_of_24_bits_is_as_likely() -> None:
    values = uniforms.uniforms(0, 4, 50_000)
    assert values.dtype == np.int32
    assert 0 <= values.min() < 2**10
    assert 2**24 - 2**10 < values.max() < 2**24
    counts, _ = np.histogram(values, 20, (0, 2**24))
    assert np.abs(counts - 10_000).max() < 500  # five standard deviations
    bits = (values.ravel()[:, None] >> np.arange(24)) & 1
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.006
