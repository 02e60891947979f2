"""The verifier itself: what is right passes it, and each way of being wrong fails it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.law.engines import verify_engine_contract
from tests.law.numpy_engine import NumpyEngine
from tests.law.steps import Inputs, verify_step_contract
from tests.models.specs import CORNERS, random_spec, random_weights
from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.heads.head import Samples
from wn_runtime.model.state import SAMPLES, State

SPEC = CORNERS["kernel_3"]
Floats = NDArray[np.float32]
Array = NDArray[Any]


class TapOneEarly(NumpyEngine):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._lines._taps[-1] += 1


class SharesAStream(NumpyEngine):
    def _push(self, sample: Samples) -> None:
        super()._push(np.roll(sample, 1))


class ForgetsItsSamples(NumpyEngine):
    def _snapshot(self) -> State:
        state = super()._snapshot()
        state[SAMPLES][:] = self.spec.output.silence
        return state


class SnapshotIsAView(NumpyEngine):
    def _snapshot(self) -> State:
        return {**super()._snapshot(), "delay_lines": self._lines._lines}


class WorksOnTheStateGiven(NumpyEngine):
    def _restore(self, state: State) -> None:
        super()._restore(state)
        self._window = state[SAMPLES]

    def _push(self, sample: Samples) -> None:
        self._window[:-1] = self._window[1:]
        self._window[-1] = sample


class ResetsAll(NumpyEngine):
    def reset(self, slots: Sequence[int] | None = None) -> None:
        super().reset()


class SnapshotsAll(NumpyEngine):
    def snapshot(self, slots: Sequence[int] | None = None) -> State:
        return super().snapshot()


class SeesTheFuture(NumpyEngine):
    def _score(self, samples: Samples, bias: Bias) -> Floats:
        self._push(samples[0])
        return super()._score(samples, bias)


class DrawsTooLow(NumpyEngine):
    def _generate(self, bias: Bias, uniforms: NDArray[np.int32], inverse: Floats) -> Samples:
        return super()._generate(bias, uniforms * 4 // 5, inverse)


class IgnoresTheTemperature(NumpyEngine):
    def _generate(self, bias: Bias, uniforms: NDArray[np.int32], inverse: Floats) -> Samples:
        return super()._generate(bias, uniforms, np.ones_like(inverse))


class TakesTheFirstTemperature(NumpyEngine):
    def _generate(self, bias: Bias, uniforms: NDArray[np.int32], inverse: Floats) -> Samples:
        return super()._generate(bias, uniforms, np.full_like(inverse, inverse[0]))


class IgnoresTheBlock(NumpyEngine):
    def _generate(self, bias: Bias, uniforms: NDArray[np.int32], inverse: Floats) -> Samples:
        self._lines._lines[:, 0] = 0
        return super()._generate(bias, uniforms, inverse)


class HoldsTheBias(NumpyEngine):
    def _step(self, bias: Bias, t: int, steps: int) -> Floats:
        return super()._step(bias, 0, steps)


class TakesARowASample(NumpyEngine):
    def _step(self, bias: Bias, t: int, steps: int) -> Floats:
        rows = 1 if bias is None else len(bias)
        return super()._step(bias, min(t, rows - 1), rows)


BROKEN = [
    TapOneEarly,
    SharesAStream,
    ForgetsItsSamples,
    SnapshotIsAView,
    WorksOnTheStateGiven,
    ResetsAll,
    SnapshotsAll,
    SeesTheFuture,
    DrawsTooLow,
    IgnoresTheTemperature,
    TakesTheFirstTemperature,
    IgnoresTheBlock,
    HoldsTheBias,
    TakesARowASample,
]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("corner", CORNERS)
def test_the_layer_equation_step_by_step_passes(corner: str, batch: int) -> None:
    weights = random_weights(CORNERS[corner])
    verify_engine_contract(NumpyEngine(CORNERS[corner], weights, batch), weights)


@pytest.mark.parametrize("seed", range(6))
def test_it_passes_for_any_shape(seed: int) -> None:
    spec = random_spec(seed)
    weights = random_weights(spec, seed)
    verify_engine_contract(NumpyEngine(spec, weights, 2), weights)


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_engine_fails(broken: type[NumpyEngine]) -> None:
    weights = random_weights(SPEC)
    engine = broken(SPEC, weights, 3)
    with pytest.raises(AssertionError):
        verify_engine_contract(engine, weights)


def running_sum(inputs: Inputs) -> Array:
    return np.cumsum(inputs[0], axis=0)


def zeros() -> Array:
    return np.zeros((1, 2))


def random_inputs(steps: int) -> Inputs:
    return (np.random.default_rng(0).standard_normal((steps, 2)),)


def test_a_state_changed_behind_the_callers_back_fails() -> None:
    def honest(inputs: Inputs, state: Array) -> tuple[Array, Array]:
        sums = state + np.cumsum(inputs[0], axis=0)
        return sums, sums[-1:]

    def in_place(inputs: Inputs, state: Array) -> tuple[Array, Array]:
        sums = state + np.cumsum(inputs[0], axis=0)
        state += inputs[0].sum(axis=0)
        return sums, state

    verify_step_contract(running_sum, honest, zeros, random_inputs(20))
    with pytest.raises(AssertionError, match="stepped from twice"):
        verify_step_contract(running_sum, in_place, zeros, random_inputs(20))


def looks_ahead(inputs: Inputs) -> Array:
    """y[t] = x[t] + 2 x[t+1], zeros past the end."""
    (x,) = inputs
    answer: Array = x + 2 * np.concatenate([x[1:], np.zeros_like(x[:1])])
    return answer


def looks_ahead_step(inputs: Inputs, state: Array) -> tuple[Array, Array]:
    """The same one input late: the state is the newest input."""
    x = np.concatenate([state, inputs[0]])
    return x[:-1] + 2 * x[1:], x[-1:]


def test_lookahead_is_a_stated_latency() -> None:
    verify_step_contract(looks_ahead, looks_ahead_step, zeros, random_inputs(20), input_latency=1)
    with pytest.raises(AssertionError, match="one pass"):
        verify_step_contract(looks_ahead, looks_ahead_step, zeros, random_inputs(20))


def repeated(times: int) -> Callable[[Inputs], Array]:
    return lambda inputs: np.repeat(inputs[0], times, axis=0)


def test_upsampling_is_a_stated_ratio() -> None:
    def step(inputs: Inputs, state: Array) -> tuple[Array, Array]:
        return repeated(3)(inputs), state

    verify_step_contract(repeated(3), step, zeros, random_inputs(20), output_ratio=3)
    with pytest.raises(AssertionError, match="output_ratio is not what was said"):
        verify_step_contract(repeated(3), step, zeros, random_inputs(20), output_ratio=2)


def upsampled_ahead(inputs: Inputs) -> Array:
    return np.repeat(looks_ahead(inputs), 4, axis=0)


def test_upsampling_with_lookahead_is_late_by_inputs_not_outputs() -> None:
    def step(inputs: Inputs, state: Array) -> tuple[Array, Array]:
        late, state = looks_ahead_step(inputs, state)
        return np.repeat(late, 4, axis=0), state

    verify_step_contract(
        upsampled_ahead, step, zeros, random_inputs(20), input_latency=1, output_ratio=4
    )


def test_blocks_are_a_stated_size() -> None:
    def means(inputs: Inputs) -> Array:
        """Each input becomes the mean of its block of four, times the block's number."""
        blocks = inputs[0].reshape(-1, 4, 2)
        numbers = 1 + np.arange(len(blocks))[:, None]
        return np.repeat(blocks.mean(axis=1) * numbers, 4, axis=0)

    def step(inputs: Inputs, state: Array) -> tuple[Array, Array]:
        blocks = inputs[0].reshape(-1, 4, 2)
        numbers = 1 + state[0, 0] + np.arange(len(blocks))[:, None]
        return np.repeat(blocks.mean(axis=1) * numbers, 4, axis=0), state + len(blocks)

    verify_step_contract(means, step, zeros, random_inputs(24), block_size=4)
    with pytest.raises((AssertionError, ValueError)):
        verify_step_contract(means, step, zeros, random_inputs(24), block_size=3)
