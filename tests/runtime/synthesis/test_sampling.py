"""Randomness as an input: reproducible uniforms, and draws that follow the softmax."""

import numpy as np
import pytest

from wn_runtime.synthesis.sampling import CategoricalSampler, Uniforms, sampler_of


def draw(logits, uniforms, temperature=1.0):
    out = np.empty(len(uniforms), np.int32)
    sampler = CategoricalSampler(len(uniforms), logits.shape[-1], temperature)
    rows = np.broadcast_to(logits, (len(uniforms), logits.shape[-1])).astype(np.float32)
    sampler(rows, np.asarray(uniforms, np.float32), out)
    return out


def test_uniforms_do_not_depend_on_the_block_size():
    whole = Uniforms(7, 3).draw(100)
    pieces = Uniforms(7, 3)
    parts = [pieces.draw(n) for n in (1, 2, 30, 67)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert pieces.position == 100


@pytest.mark.parametrize("position", [0, 1, 4, 5, 63])
def test_uniforms_can_be_resumed_anywhere(position):
    whole = Uniforms(7, 2).draw(80)
    resumed = Uniforms(7, 2)
    resumed.seek(position)
    assert np.array_equal(resumed.draw(10), whole[position : position + 10])


def test_streams_and_seeds_differ_and_a_stream_is_the_same_in_any_batch():
    batch = Uniforms(7, 3).draw(50)
    assert np.array_equal(Uniforms(7, 1, first_stream=2).draw(50)[:, 0], batch[:, 2])
    assert not np.array_equal(batch[:, 0], batch[:, 1])
    assert not np.array_equal(Uniforms(8, 3).draw(50), batch)


def test_uniforms_are_uniform_below_one():
    values = Uniforms(0, 4).draw(50_000)
    assert values.dtype == np.float32
    assert 0 <= values.min() < 1e-3
    assert 1 - 1e-3 < values.max() < 1
    counts, _ = np.histogram(values, 20, (0, 1))
    assert np.abs(counts - 10_000).max() < 500  # five standard deviations


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_softmax(temperature):
    logits = np.array([0.3, -1, 2, 0, 1], np.float32)
    p = np.exp(logits / temperature)
    p /= p.sum()
    n = 100_000
    drawn = draw(logits, (np.arange(n) + 0.5) / n, temperature)
    assert (np.diff(drawn) >= 0).all()  # the inverse of a cumulative sum rises with the uniform
    np.testing.assert_allclose(np.bincount(drawn, minlength=5) / n, p, atol=2e-5)


def test_temperature_zero_is_the_likeliest_class():
    assert draw(np.array([1, 3, 3, 2], np.float32), [0.99], 0).tolist() == [1]


def test_extreme_logits_and_uniforms_stay_in_range():
    top = np.nextafter(np.float32(1), np.float32(0))
    assert draw(np.array([-1e9, 0, -1e9], np.float32), [0, top]).tolist() == [1, 1]
    assert draw(np.full(256, 1e4, np.float32), [0, top]).tolist() == [0, 255]


@pytest.mark.parametrize("streams", [1, 3])
@pytest.mark.parametrize("temperature", [0.0, 0.6, 1.0])
def test_a_bound_sampler_draws_what_the_sampler_draws(streams, temperature):
    rng = np.random.default_rng(streams)
    logits = np.zeros((streams, 30), np.float32)
    bound, plain = sampler_of(logits, temperature), CategoricalSampler(streams, 30, temperature)
    found, wanted = np.empty(streams, np.int32), np.empty(streams, np.int32)
    for uniform in (*rng.random(500), 0.0, 1 - 2**-24):
        logits[:] = 4 * rng.standard_normal(logits.shape)
        uniforms = np.full(streams, uniform, np.float32)
        bound(uniforms, found)
        plain(logits, uniforms, wanted)
        assert np.array_equal(found, wanted)
