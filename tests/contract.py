"""The streaming law, written once: T calls of `step` equal one pass over the T samples.

Torch layers and models, step graphs and engines all pass `verify_step_contract`; engines pass
`verify_engine_contract` besides. Arrays are NumPy with time first and streams second.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tests import oracle
from tests.specs import random_bias, random_samples
from wn_runtime.engines.engine import Bias, Engine, State
from wn_runtime.model.weights import Weights
from wn_runtime.synthesis.sampling import Uniforms

Array = NDArray[Any]
Inputs = tuple[Array, ...]
"""Each (T, B, …)."""
S = TypeVar("S")


def verify_step_contract(
    whole: Callable[[Inputs], Array],
    step: Callable[[Inputs, S], tuple[Array, S]],
    initial: Callable[[], S],
    inputs: Inputs,
    tolerance: float = 1e-5,
    sees_current: Sequence[bool] | None = None,
) -> None:
    """Assert the streaming law of a thing that has a whole-sequence and a step path.

    whole: inputs (T, B, …) -> outputs (T, B, …), from the zero state. step: a piece of the
    inputs, (n, B, …) with any n >= 1, and a state -> the piece's outputs and the next state.
    tolerance: of |difference| / max |output|. sees_current: for each input, whether outputs at t
    may see it at t, or only before; all may by default.
    """
    expected = whole(inputs)
    steps = len(expected)
    largest = np.abs(expected).max()
    assert np.isfinite(largest)
    assert largest > 0, "outputs are all zero: nothing is verified"

    def close(found: Array, wanted: Array, law: str) -> None:
        assert found.shape == wanted.shape, f"{law}: shape {found.shape}, not {wanted.shape}"
        if not found.size:
            return
        error = np.abs(found - wanted)
        worst = np.unravel_index(error.argmax(), error.shape)
        assert error.max() <= tolerance * largest, (
            f"{law}: {error.max():.3g} off at {worst} (largest output {largest:.3g})"
        )

    def run(cuts: Sequence[int]) -> Array:
        state, outputs = initial(), []
        for start, end in zip([0, *cuts], [*cuts, steps], strict=True):
            output, state = step(_piece(inputs, start, end), state)
            outputs.append(output)
        return np.concatenate(outputs)

    close(run(range(1, steps)), expected, "T steps are one pass")
    close(run([1, 4, steps // 2]), expected, "pieces of odd sizes are one pass")

    # The state is a value: a step leaves the one it was given as it was.
    middle = steps // 2
    _, state = step(_piece(inputs, 0, middle), initial())
    kept = copy.deepcopy(state)
    first, _ = step(_piece(inputs, middle, steps), state)
    again, _ = step(_piece(inputs, middle, steps), state)
    close(again, first, "a state can be stepped from twice")
    close(step(_piece(inputs, middle, steps), kept)[0], first, "a copy of a state is as good")

    # Nothing sees the future, and no stream sees another.
    later = tuple(
        _shuffled(array, slice(middle + current, None), slice(None))
        for array, current in zip(inputs, sees_current or [True] * len(inputs), strict=True)
    )
    close(whole(later)[: middle + 1], expected[: middle + 1], "causality")
    close(step(later, initial())[0][: middle + 1], expected[: middle + 1], "causality of step")
    if expected.shape[1] > 1:
        others = tuple(_shuffled(array, slice(None), slice(1, None)) for array in inputs)
        close(whole(others)[:, 0], expected[:, 0], "streams are independent")
        output, _ = step(others, initial())
        close(output[:, 0], expected[:, 0], "streams of step are independent")


def verify_engine_contract(
    engine: Engine, weights: Weights, tolerance: float = 1e-5, steps: int = 48, seed: int = 0
) -> None:
    """Assert that an engine computes the layer equation, obeys the law and samples as it scores.

    tolerance: of |difference| / max |logit| against the float64 oracle.
    """
    spec, streams = engine.spec, engine.batch
    samples = random_samples(spec, steps, streams, seed)
    for bias_steps in (1, steps):
        bias = random_bias(spec, streams, bias_steps, seed + 1)
        # (T, B, …) as the law wants it; bias is (T or 1, L, B, G).
        inputs: Inputs = (samples,)
        if bias is not None:
            full = np.broadcast_to(bias, (steps, *bias.shape[1:]))
            inputs = (samples, full.transpose(0, 2, 1, 3))

        def whole(inputs: Inputs) -> Array:
            return oracle.score(spec, weights, inputs[0], _bias(inputs))

        def step(inputs: Inputs, state: State) -> tuple[Array, State]:
            engine.restore(state)
            return engine.score(inputs[0], _bias(inputs)), engine.snapshot()

        def initial() -> State:
            engine.reset()
            return engine.snapshot()

        verify_step_contract(whole, step, initial, inputs, tolerance, [False, True][: len(inputs)])
        _verify_generation(engine, bias, steps, seed, tolerance)
    _verify_resets(engine, random_bias(spec, streams, 1, seed), samples)
    _verify_snapshot_is_a_copy(engine, random_bias(spec, streams, 1, seed), samples)


def _verify_generation(engine: Engine, bias: Bias, steps: int, seed: int, tolerance: float) -> None:
    """Free running is teacher forcing on one's own samples, drawn as the distribution says."""
    streams, classes = engine.batch, engine.spec.classes
    uniforms = Uniforms(seed, streams).draw(steps)
    for temperature in (1.0, 0.7, 0.0):
        engine.reset()
        drawn = engine.generate(bias, uniforms, temperature)
        assert drawn.shape == (steps, streams)
        assert drawn.min() >= 0
        assert drawn.max() < classes
        engine.reset()
        params = engine.score(drawn, bias)
        _verify_draws(params, uniforms, temperature, drawn, tolerance)

        # In blocks, and by way of a snapshot, the same samples come.
        half = steps // 2 - 1
        engine.reset()
        begin = engine.generate(_of(bias, slice(0, half)), uniforms[:half], temperature)
        state = engine.snapshot()
        end = engine.generate(_of(bias, slice(half, None)), uniforms[half:], temperature)
        engine.restore(state)
        again = engine.generate(_of(bias, slice(half, None)), uniforms[half:], temperature)
        assert np.array_equal(np.concatenate([begin, end]), drawn), "blocks change the samples"
        assert np.array_equal(end, again), "a restored stream goes on differently"


def _verify_draws(
    params: Array, uniforms: Array, temperature: float, drawn: Array, tolerance: float
) -> None:
    """Each class is where its uniform falls in the distribution, give or take rounding."""
    logits = params.astype(np.float64)
    chosen = np.take_along_axis(logits, drawn[..., None], axis=-1)[..., 0]
    if temperature == 0:
        slack = tolerance * np.abs(logits).max()
        assert (chosen >= logits.max(axis=-1) - slack).all(), "temperature 0 is not the likeliest"
        return
    mass = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    upper = np.cumsum(mass, axis=-1) / mass.sum(axis=-1, keepdims=True)
    above = np.take_along_axis(upper, drawn[..., None], axis=-1)[..., 0]
    below = np.where(
        drawn > 0, np.take_along_axis(upper, np.maximum(drawn - 1, 0)[..., None], -1)[..., 0], 0
    )
    slack = 1e-5 + tolerance * np.abs(logits).max() / temperature
    outside = (uniforms < below - slack) | (uniforms > above + slack)
    assert not outside.any(), f"class drawn outside its interval at {np.argwhere(outside)[0]}"


def _verify_resets(engine: Engine, bias: Bias, samples: Array) -> None:
    """A reset stream starts from silence; the others do not notice."""
    engine.reset()
    fresh = engine.score(samples, bias)
    middle = len(samples) // 2
    engine.reset()
    engine.score(samples[:middle], bias)
    onward = engine.score(samples[middle:], bias)
    engine.reset()
    engine.score(samples[:middle], bias)
    last = engine.batch - 1
    engine.reset([last])
    mixed = samples[middle:].copy()
    mixed[:, last] = samples[: len(mixed), last]
    found = engine.score(mixed, bias)
    assert np.allclose(found[:, last], fresh[: len(mixed), last], atol=1e-5), "reset: not silence"
    assert np.allclose(found[:, :last], onward[:, :last], atol=1e-5), "reset: another was reset"


def _verify_snapshot_is_a_copy(engine: Engine, bias: Bias, samples: Array) -> None:
    engine.reset()
    engine.score(samples, bias)
    state = engine.snapshot()
    state.check(engine.spec, engine.batch)
    kept = copy.deepcopy(state)
    engine.score(samples, bias)
    engine.reset()
    assert np.array_equal(state.samples, kept.samples), "a later call changed a snapshot"
    assert np.array_equal(state.lines, kept.lines), "a later call changed a snapshot"
    engine.restore(state)
    assert np.array_equal(engine.snapshot().lines, kept.lines), "restore, then snapshot: another"
    assert np.array_equal(engine.snapshot().samples, kept.samples)


def _piece(inputs: Inputs, start: int, end: int) -> Inputs:
    return tuple(array[start:end] for array in inputs)


def _bias(inputs: Inputs) -> Bias:
    """(T, B, L, G) back to the engine's (T, L, B, G)."""
    return np.ascontiguousarray(inputs[1].transpose(0, 2, 1, 3)) if len(inputs) > 1 else None


def _of(bias: Bias, steps: slice) -> Bias:
    return bias if bias is None or len(bias) == 1 else bias[steps]


def _shuffled(array: Array, steps: slice, streams: slice) -> Array:
    """Other values of the same kind there."""
    changed = array.copy()
    part = changed[steps, streams]
    changed[steps, streams] = np.random.default_rng(5).permutation(part.ravel()).reshape(part.shape)
    return changed
