"""What the CUDA engine must do on any GPU, the stand-in or a real one (tests/gpu)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.models.specs import random_bias, random_samples, random_uniforms, random_weights
from wn_runtime.engines.cuda.engine import CudaEngine
from wn_runtime.engines.cuda.pack import pack
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.errors import EngineUnavailable
from wn_runtime.heads.head import inverse_temperatures

TOLERANCE = {"fp32": 1e-4, "fp16": 2e-2, "int8": 5e-2}
"""Of |difference| / max |params| against the layer equation."""


@contextlib.contextmanager
def opened(schedule: Schedule, batch: int, seed: int = 0) -> Iterator[CudaEngine]:
    """An engine of random weights, closed at the end."""
    packed = pack(schedule, random_weights(schedule.spec, seed))
    engine = CudaEngine(CudaDevice(), schedule, batch, packed)
    try:
        yield engine
    finally:
        engine.close()


def native(schedule: Schedule, batch: int) -> NativeEngine:
    """The CPU's engine of the same weights, in float32; a skip where it cannot be compiled."""
    try:
        return NativeEngine(schedule.spec, random_weights(schedule.spec), "fp32", batch)
    except EngineUnavailable as reason:
        pytest.skip(str(reason))


def check_pieces(schedule: Schedule, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block longer than a launch takes, in samples, params or bias, is made as if it were one."""
    spec, steps = schedule.spec, 48
    uniforms = random_uniforms(steps, batch, 0, spec.output.uniforms)
    biases = [random_bias(spec, batch, rows) for rows in (1, 6, steps)]
    with opened(schedule, batch) as engine:
        whole = [_both(engine, bias, uniforms) for bias in biases]
    row = 4 * spec.layers * engine.spec.gate_channels * batch
    limits = {"_MOST_STEPS": 7, "_PIECE_BYTES": 5 * row}
    for name, value in limits.items():
        monkeypatch.setattr(f"wn_runtime.engines.cuda.memory.{name}", value)
    launches: list[None] = []
    launch = CudaDevice.launch
    with opened(schedule, batch) as engine:
        monkeypatch.setattr(CudaDevice, "launch", lambda *a, **k: launches.append(launch(*a, **k)))
        for bias, (samples, params) in zip(biases, whole, strict=True):
            found, scored = _both(engine, bias, uniforms)
            assert np.array_equal(found, samples)
            assert np.array_equal(scored, params)
    assert len(launches) >= 2 * len(biases) * steps / 7, "it was one launch after all"


def _both(
    engine: Engine, bias: NDArray[np.float32] | None, uniforms: NDArray[np.int32]
) -> tuple[NDArray[np.generic], NDArray[np.float32]]:
    """Samples drawn from silence, and their params."""
    engine.reset()
    samples = engine.generate(bias, uniforms)
    engine.reset()
    return samples, engine.score(samples, bias)


def check_snapshots_move(schedule: Schedule, batch: int) -> None:
    """A stream begun on the GPU goes on in the native engine as if it had begun there, and back."""
    spec, steps = schedule.spec, 40
    samples, bias = random_samples(spec, steps, batch), random_bias(spec, batch)
    cpu = native(schedule, batch)
    expected = cpu.score(samples, bias)
    room = 2 * TOLERANCE[schedule.precision] * np.abs(expected).max()
    with opened(schedule, batch) as gpu:
        for one, other in ((gpu, cpu), (cpu, gpu)):
            one.reset()
            other.reset()
            first = one.score(samples[:23], bias)
            other.restore(one.snapshot())
            rest = other.score(samples[23:], bias)
            assert np.abs(np.concatenate([first, rest]) - expected).max() <= room
            from_silence = expected[: len(rest)]
            assert np.abs(rest - from_silence).max() > room, "its past makes no difference"
    cpu.close()


def check_draws(engine: CudaEngine, steps: int) -> None:
    """Free running draws from its params what the NumPy head draws from them."""
    head, batch = engine.spec.output, engine.batch
    uniforms = random_uniforms(steps, batch, 3, head.uniforms)
    bias = random_bias(engine.spec, batch)
    engine.reset()
    drawn = engine.generate(bias, uniforms)
    engine.reset()
    params = engine.score(drawn, bias)
    row, expected = np.empty(params.shape[1:], np.float32), np.empty_like(drawn)
    draw = head.drawer(row, inverse_temperatures(1.0, batch))
    for t in range(steps):
        row[:] = params[t]
        draw(uniforms[t], expected[t])
    others = np.argwhere(drawn != expected)
    assert len(others) <= 0.01 * drawn.size, "more than exponentials' last bits can explain"
    for t, b in others:
        one, other = drawn[t, b], expected[t, b]
        assert head.margin(params[t, b], uniforms[t, b], one, other) <= head.float_error(1e-6)
