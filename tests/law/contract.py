"""The streaming law, written once: T calls of `step` equal one pass over the T samples.

Torch layers and models, graphs, conditioners and engines all pass `verify_step_contract`; engines
pass `verify_engine_contract` besides, conditioners `verify_conditioner_contract`. Arrays are NumPy
with time first and streams second. As for the layers of sequence-layers, a thing states its timing:

    input_latency   inputs by which its step outputs come later than those of the whole pass
    output_ratio    outputs for one input: more than 1 where it upsamples
    block_size      inputs that pieces are multiples of
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tests.law import oracle
from tests.models.specs import random_bias, random_samples, random_uniforms
from wn_runtime.conditioning.conditioner import Bias, Conditioner, Values
from wn_runtime.conditioning.part import Frames
from wn_runtime.engines.engine import Engine, Temperature
from wn_runtime.heads.head import inverse_temperatures
from wn_runtime.model.layout import check
from wn_runtime.model.state import State
from wn_runtime.model.weights import Weights

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
    input_latency: int = 0,
    output_ratio: int = 1,
    block_size: int = 1,
) -> None:
    """Assert the streaming law of a thing that has a whole-sequence and a step path.

    whole: inputs (T, B, …) -> outputs (T·ratio, B, …), from the zero state. step: a piece of the
    inputs, (n, B, …) with n a multiple of block_size, and a state -> the piece's outputs
    (n·ratio, B, …), `input_latency` inputs late, and the next state. tolerance: of |difference| /
    max |output|. sees_current: for each input, whether outputs at t may see it at t, or only
    before; all may by default.
    """
    expected = whole(inputs)
    steps, late = len(inputs[0]), input_latency * output_ratio
    assert len(expected) == steps * output_ratio, "output_ratio is not what was said"
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
        for start, end in itertools.pairwise([0, *cuts, steps]):
            output, state = step(_piece(inputs, start, end), state)
            assert len(output) == (end - start) * output_ratio, "output_ratio differs by piece"
            outputs.append(output)
        return np.concatenate(outputs)[late:]

    in_time = expected[: len(expected) - late]
    blocks = range(block_size, steps, block_size)
    close(run(blocks), in_time, "T steps are one pass")
    uneven = sorted({n * block_size for n in (1, 4, steps // 2 // block_size)} - {0, steps})
    close(run([cut for cut in uneven if cut < steps]), in_time, "pieces of odd sizes are one pass")

    # The state is a value: a step leaves the one it was given as it was.
    middle = steps // 2 // block_size * block_size
    _, state = step(_piece(inputs, 0, middle), initial())
    kept = copy.deepcopy(state)
    first, _ = step(_piece(inputs, middle, steps), state)
    again, _ = step(_piece(inputs, middle, steps), state)
    close(again, first, "a state can be stepped from twice")
    close(step(_piece(inputs, middle, steps), kept)[0], first, "a copy of a state is as good")

    # Nothing sees the future beyond its latency, and no stream sees another.
    sees = sees_current or [True] * len(inputs)
    later = tuple(
        _shuffled(array, slice(middle + current + input_latency, None), slice(None))
        for array, current in zip(inputs, sees, strict=True)
    )
    known = (middle + 1) * output_ratio if block_size == 1 else middle * output_ratio
    close(whole(later)[:known], expected[:known], "causality")
    streamed = step(later, initial())[0][late:]
    close(streamed[:known], in_time[:known], "causality of step")
    if expected.shape[1] > 1:
        others = tuple(_shuffled(array, slice(None), slice(1, None)) for array in inputs)
        close(whole(others)[:, 0], expected[:, 0], "streams are independent")
        output, _ = step(others, initial())
        close(output[late:, 0], in_time[:, 0], "streams of step are independent")


def verify_conditioner_contract(
    conditioner: Conditioner,
    conditions: dict[str, Values],
    frames: Frames | None,
    samples: Array,
    tolerance: float = 1e-6,
) -> None:
    """Assert that blocks of any sizes give the bias of one whole pass, by the stated timing.

    frames (F, B, C): those of all samples and the lookahead; samples (T, B), T whole blocks.
    """
    timing = conditioner.timing
    steps, streams = samples.shape
    size = timing.block
    count = steps // size

    def frames_of(start: int, blocks: int, given: Frames | None) -> Frames | None:
        if given is None:
            return None
        first = start * size // timing.hop
        return given[first : first + timing.frames(blocks * size)]

    def run(cuts: Sequence[int], given: Frames | None, known: Array) -> Array:
        state, rows = conditioner.start(conditions, streams), []
        before = np.full_like(samples[:size], conditioner.silence)
        for start, end in itertools.pairwise([0, *cuts, count]):
            kept = copy.deepcopy(state)
            piece = frames_of(start, end - start, given)
            bias, following = conditioner.block(state, (end - start) * size, piece, before)
            for name, array in kept.items():
                assert np.array_equal(array, state[name]), f"{name} of the state was changed"
            assert bias is not None
            held = (end - start) * size // len(bias)
            rows.append(np.repeat(bias, held, axis=0))
            state, before = following, known[(end - 1) * size : end * size]
        return np.concatenate(rows)

    expected = run(range(1, count), frames, samples)
    rng = np.random.default_rng(0)
    sizes = [range(1, count)] if timing.uses_history else [[], sorted(rng.permutation(count)[:3])]
    for cuts in sizes:
        found = run([cut for cut in cuts if cut > 0], frames, samples)
        error = np.abs(found - expected).max() / np.abs(expected).max()
        assert error <= tolerance, f"blocks are not one pass: {error:.3g} off"
    whole = conditioner.whole(conditions, streams, steps, frames, samples)
    assert whole is not None
    each = np.repeat(whole, steps // len(whole), axis=0)
    assert np.abs(each - expected).max() <= tolerance * np.abs(expected).max(), "whole differs"

    # What lies beyond the lookahead changes nothing, nor do samples of this block and later.
    middle = count // 2
    later, known = frames, samples.copy()
    if frames is not None:
        later = frames.copy()
        later[timing.frames(middle * size) :] += 1
    known[middle * size :] = known[middle * size :][::-1]
    found = run(range(1, count), later, known)
    near = np.abs(found - expected)[: middle * size].max()
    assert near <= tolerance * np.abs(expected).max(), "the bias sees beyond its lookahead"


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


def _piece(inputs: Inputs, start: int, end: int) -> Inputs:
    return tuple(array[start:end] for array in inputs)


def _bias(inputs: Inputs) -> Bias:
    """(T, B, L, G) back to the engine's (T, L, B, G)."""
    return np.ascontiguousarray(inputs[1].transpose(0, 2, 1, 3)) if len(inputs) > 1 else None


def _halves(bias: Bias) -> tuple[Bias, Bias]:
    if bias is None or len(bias) == 1:
        return bias, bias
    return bias[: len(bias) // 2], bias[len(bias) // 2 :]


def _shuffled(array: Array, steps: slice, streams: slice) -> Array:
    """Other values of the same kind there."""
    changed = array.copy()
    part = changed[steps, streams]
    changed[steps, streams] = np.random.default_rng(5).permutation(part.ravel()).reshape(part.shape)
    return changed
