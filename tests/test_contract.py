"""The verifier itself: a right engine passes it, and each way of being wrong fails it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.contract import verify_engine_contract, verify_step_contract
from tests.numpy_engine import NumpyEngine
from tests.specs import CORNERS, random_spec, random_weights
from wn_runtime.engines.engine import Engine, State

SPEC = CORNERS["kernel_3"]


class TapOneEarly(NumpyEngine):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._lines._taps[-1] += 1


class SharesAStream(NumpyEngine):
    def _hear(self, sample):
        super()._hear(np.roll(sample, 1))


class ForgetsItsSamples(NumpyEngine):
    def snapshot(self):
        fresh = np.full_like(self._samples, self.spec.silence)
        return State(fresh, super().snapshot().lines)


class SnapshotIsAView(NumpyEngine):
    def snapshot(self):
        return State(self._samples, self._lines._lines)


class ResetsAll(NumpyEngine):
    def reset(self, streams=None):
        super().reset()


class SeesTheFuture(NumpyEngine):
    def score(self, samples, bias):
        self._hear(samples[0])
        return super().score(samples, bias)


class DrawsTooLow(NumpyEngine):
    def generate(self, bias, uniforms, temperature=1.0):
        return super().generate(bias, uniforms * np.float32(0.8), temperature)


class IgnoresTheTemperature(NumpyEngine):
    def generate(self, bias, uniforms, temperature=1.0):
        return super().generate(bias, uniforms, 1.0)


class IgnoresTheBlock(NumpyEngine):
    def generate(self, bias, uniforms, temperature=1.0):
        self._lines.reset([0])
        return super().generate(bias, uniforms, temperature)


class HoldsTheBias(NumpyEngine):
    def _step(self, bias, t):
        return super()._step(bias, 0)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("corner", CORNERS)
def test_the_layer_equation_step_by_step_passes(corner, batch):
    weights = random_weights(CORNERS[corner])
    engine = NumpyEngine(CORNERS[corner], weights, batch)
    assert isinstance(engine, Engine)
    verify_engine_contract(engine, weights)


@pytest.mark.parametrize("seed", range(6))
def test_it_passes_for_any_shape(seed):
    spec = random_spec(seed)
    weights = random_weights(spec, seed)
    verify_engine_contract(NumpyEngine(spec, weights, 2), weights)


@pytest.mark.parametrize(
    "broken",
    [
        TapOneEarly, SharesAStream, ForgetsItsSamples, SnapshotIsAView, ResetsAll, SeesTheFuture,
        DrawsTooLow, IgnoresTheTemperature, IgnoresTheBlock, HoldsTheBias,
    ],
)  # fmt: skip
def test_a_broken_engine_fails(broken):
    weights = random_weights(SPEC)
    with pytest.raises(AssertionError):
        verify_engine_contract(broken(SPEC, weights, 3), weights)


def test_a_state_changed_behind_the_callers_back_fails():
    def whole(inputs):
        return np.cumsum(inputs[0], axis=0)

    def honest(inputs, state):
        sums = state + np.cumsum(inputs[0], axis=0)
        return sums, sums[-1]

    def in_place(inputs, state):
        sums = state + np.cumsum(inputs[0], axis=0)
        state += inputs[0].sum(axis=0)
        return sums, state

    def initial():
        return np.zeros(2)

    inputs = (np.random.default_rng(0).standard_normal((20, 2)),)
    verify_step_contract(whole, honest, initial, inputs)
    with pytest.raises(AssertionError, match="stepped from twice"):
        verify_step_contract(whole, in_place, initial, inputs)
