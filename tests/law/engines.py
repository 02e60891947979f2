"""The streaming law of an engine, which computes the layer equation and draws as it scores."""

from __future__ import annotations

import copy

import numpy as np
from numpy.typing import NDArray

from tests.law import oracle
from tests.law.steps import Array, Inputs, verify_step_contract
from tests.models.specs import random_bias, random_samples, random_uniforms
from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.engine import Engine, Temperature
from wn_runtime.heads.head import inverse_temperatures
from wn_runtime.model.layout import check
from wn_runtime.model.state import State
from wn_runtime.model.weights import Weights


def verify_engine_contract(
    engine: Engine, weights: Weights, tolerance: float = 1e-5, steps: int = 48, seed: int = 0
) -> None:
    """Assert that an engine computes the layer equation, obeys the law and samples as it scores.

    tolerance: of |difference| / max |params| against the float64 oracle.
    """
    assert steps % 16 == 0, "bias is held for 8 samples, and blocks are halved"
    spec, streams = engine.spec, engine.batch
    samples = random_samples(spec, steps, streams, seed)
    for rows in (1, steps // 8, steps):
        bias = random_bias(spec, streams, rows, seed + 1)
        _verify_scores(engine, weights, samples, bias, tolerance)
        for temperature in (1.0, 0.7, 0.0):
            _verify_generation(engine, bias, temperature, steps, seed, tolerance)
    constant = random_bias(spec, streams, 1, seed)
    _verify_generation(
        engine, constant, [0.5 * (slot % 3) for slot in range(streams)], steps, seed, tolerance
    )
    _verify_slots(engine, constant, samples)
    _verify_snapshot_is_a_copy(engine, constant, samples)


def _verify_scores(
    engine: Engine, weights: Weights, samples: Array, bias: Bias, tolerance: float
) -> None:
    """Teacher forcing is the layer equation, whatever the pieces and however bias is held."""
    steps = len(samples)
    held = 1 if bias is None else steps // len(bias)
    inputs: Inputs = (samples,)
    if bias is not None:  # (T, B, L, G), as the law wants it
        inputs = (samples, np.repeat(bias, held, axis=0).transpose(0, 2, 1, 3))

    def whole(inputs: Inputs) -> Array:
        return oracle.score(engine.spec, weights, inputs[0], _bias(inputs))

    def step(inputs: Inputs, state: State) -> tuple[Array, State]:
        engine.restore(state)
        return engine.score(inputs[0], _bias(inputs)), engine.snapshot()

    def initial() -> State:
        engine.reset()
        return engine.snapshot()

    sees_current = [False, True][: len(inputs)]
    verify_step_contract(whole, step, initial, inputs, tolerance, sees_current)
    engine.reset()
    expected = whole(inputs)
    error = np.abs(engine.score(samples, bias) - expected).max()
    assert error <= tolerance * np.abs(expected).max(), f"bias held for {held} samples: {error:.3g}"


def _verify_generation(
    engine: Engine, bias: Bias, temperature: Temperature, steps: int, seed: int, tolerance: float
) -> None:
    """Free running is teacher forcing on one's own samples, drawn as the head draws."""
    streams, head = engine.batch, engine.spec.output
    uniforms = random_uniforms(steps, streams, seed, head.uniforms)
    engine.reset()
    drawn = engine.generate(bias, uniforms, temperature)
    assert drawn.shape == (steps, streams)
    assert drawn.dtype == head.sample_dtype
    head.check(drawn)
    engine.reset()
    params = engine.score(drawn, bias)
    _verify_draws(engine, params, uniforms, temperature, drawn, tolerance)

    # In blocks, and by way of a snapshot, the same samples come.
    half = steps // 2
    begin, end = _halves(bias)
    engine.reset()
    first = engine.generate(begin, uniforms[:half], temperature)
    state = engine.snapshot()
    second = engine.generate(end, uniforms[half:], temperature)
    engine.restore(state)
    again = engine.generate(end, uniforms[half:], temperature)
    assert np.array_equal(np.concatenate([first, second]), drawn), "blocks change the samples"
    assert np.array_equal(second, again), "a restored stream goes on differently"


def _verify_draws(
    engine: Engine,
    params: Array,
    uniforms: NDArray[np.int32],
    temperature: Temperature,
    drawn: Array,
    tolerance: float,
) -> None:
    """Each sample is the head's own draw from these params, but for what rounding explains."""
    head, streams = engine.spec.output, engine.batch
    inverse = inverse_temperatures(temperature, streams)
    memory = np.empty((streams, head.params), np.float32)
    draw, expected = head.drawer(memory, inverse), np.empty(streams, head.sample_dtype)
    slack = head.float_error(tolerance * float(np.abs(params).max()))
    for t in range(len(drawn)):
        memory[:] = params[t]
        draw(uniforms[t], expected)
        for b in np.flatnonzero(expected != drawn[t]):
            if inverse[b] == 0 and head.codes is not None:
                best, own = params[t, b].max(), params[t, b, drawn[t, b]]
                assert own >= best - slack, "temperature 0 is not the likeliest"
                continue
            scaled = params[t, b] * (inverse[b] if head.codes is not None else 1)
            margin = head.margin(scaled, uniforms[t, b], expected[b], drawn[t, b])
            assert margin <= slack * max(1.0, float(inverse[b])), (
                f"sample {t} of stream {b} is {drawn[t, b]}, the head draws {expected[b]}"
            )


def _verify_slots(engine: Engine, bias: Bias, samples: Array) -> None:
    """A slot that is reset, or restored, goes on as told; the others do not notice."""
    middle, last = len(samples) // 2, engine.batch - 1
    engine.reset()
    fresh = engine.score(samples, bias)
    engine.reset()
    engine.score(samples[:middle], bias)
    after = engine.snapshot()
    onward = engine.score(samples[middle:], bias)

    engine.restore(after)
    engine.reset([last])
    mixed = samples[middle:].copy()
    mixed[:, last] = samples[: len(mixed), last]
    found = engine.score(mixed, bias)
    assert np.allclose(found[:, last], fresh[: len(mixed), last], atol=1e-5), "reset: not silence"
    assert np.allclose(found[:, :last], onward[:, :last], atol=1e-5), "reset: another was reset"

    engine.restore(after)
    kept = engine.snapshot([last])
    assert all(array.shape[1] == 1 for array in kept.values()), "a slot's snapshot holds more"
    engine.reset()
    engine.restore(kept, [last])
    found = engine.score(samples[middle:], bias)
    assert np.allclose(found[:, last], onward[:, last], atol=1e-5), "a restored slot is another"
    if last:
        assert not np.allclose(found[:, :last], onward[:, :last], atol=1e-5), "all were restored"


def _verify_snapshot_is_a_copy(engine: Engine, bias: Bias, samples: Array) -> None:
    engine.reset()
    engine.score(samples, bias)
    state = engine.snapshot()
    check(state, engine.spec, engine.batch)
    kept = copy.deepcopy(state)
    engine.score(samples, bias)
    engine.reset()
    assert _same(state, kept), "a later call changed a snapshot"
    engine.restore(state)
    assert _same(engine.snapshot(), kept), "restore, then snapshot: another"
    engine.score(samples, bias)
    assert _same(state, kept), "the engine works on the state it was given"


def _same(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def _bias(inputs: Inputs) -> Bias:
    """(T, B, L, G) back to the engine's (T, L, B, G)."""
    return np.ascontiguousarray(inputs[1].transpose(0, 2, 1, 3)) if len(inputs) > 1 else None


def _halves(bias: Bias) -> tuple[Bias, Bias]:
    if bias is None or len(bias) == 1:
        return bias, bias
    return bias[: len(bias) // 2], bias[len(bias) // 2 :]
