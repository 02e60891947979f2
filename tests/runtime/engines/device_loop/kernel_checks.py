"""What the step kernel must do on any GPU, the stand-in or a real one (tests/gpu)."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.models.specs import random_spec, small_spec
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.device_loop.memory import CONTROL, StepMemory
from wn_runtime.engines.step_signature import ELEMENTS
from wn_runtime.heads.head import Samples, inverse_temperatures
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.spec import ModelSpec

LAST = 2**24 - 1
"""The largest uniform."""
WEIGHT = 2**22
"""Of the likeliest class."""


def check_draws(device: CudaDevice, classes: int, steps: int = 24) -> None:
    """From random logits it draws what the NumPy head draws, each stream at its temperature."""
    temperatures = [1.0, 0.6, 0.0, 3.0]
    streams, head = len(temperatures), Softmax(classes)
    rng = np.random.default_rng(classes)
    logits = (3 * rng.standard_normal((steps, streams, classes))).astype(np.float32)
    uniforms = rng.integers(0, 2**24, (steps, streams, 1), np.int32)
    uniforms[0], uniforms[1] = 0, LAST
    logits[2] = logits[2, :, :1]  # all alike: at temperature 0 it is the lowest class
    logits[3, :, rng.permutation(classes)[: classes // 2]] = logits[3].max()
    found = drawn(device, logits, uniforms, temperatures)
    inverse = inverse_temperatures(temperatures, streams)
    expected, row = np.empty_like(found), np.empty((streams, classes), np.float32)
    draw = head.drawer(row, inverse)
    for t in range(steps):
        row[:] = logits[t]
        draw(uniforms[t], expected[t])
    assert np.array_equal(found[:, 2], expected[:, 2])
    for t, b in zip(*np.nonzero(found != expected), strict=True):
        # Two exponentials may differ in their last bit, and the uniform lie just between.
        scaled = logits[t, b] * inverse[b]
        margin = head.margin(scaled, uniforms[t, b], expected[t, b], found[t, b])
        assert margin <= head.float_error(0), f"{found[t, b]}, the head draws {expected[t, b]}"


def check_integers(device: CudaDevice, classes: int) -> None:
    """Where the weights are known integers the draw is exact, at every edge and just below it."""
    rng = np.random.default_rng(classes)
    alike = np.zeros(classes, np.int64)  # some classes are equally likely, no other has a weight
    alike[rng.permutation(classes)[: max(2, classes // 3)]] = WEIGHT
    rare = rng.integers(0, 6, classes)  # one is likely, the others barely possible
    rare[rng.integers(classes)] = WEIGHT
    for weights in (alike, rare):
        _check_known(device, weights, rng)


def _check_known(device: CudaDevice, weights: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Draws from logits whose exponentials round to these weights, whatever their last bits."""
    near = np.maximum(weights + rng.uniform(-0.3, 0.3, len(weights)), 1e-9)
    row = np.where(weights == WEIGHT, 5, 5 + np.log(near / WEIGHT)).astype(np.float32)[None]
    sums = np.cumsum(weights).tolist()
    edges = [-(-(sums[c] << 24) // sums[-1]) for c in rng.permutation(len(weights))[:20]]
    chosen = [u for edge in edges for u in (edge - 1, edge) if 0 <= u <= LAST] + [0, LAST]
    expected = [bisect.bisect_right(sums, u * sums[-1] >> 24) for u in chosen]
    uniforms = np.array(chosen, np.int32)[:, None, None]
    draw, of_the_head = Softmax(len(weights)).drawer(row, np.ones(1, np.float32)), []
    for uniform in uniforms:
        draw(uniform, out := np.empty(1, np.int32))
        of_the_head.append(int(out[0]))
    assert of_the_head == expected
    logits = np.repeat(row[None], len(chosen), axis=0)
    assert drawn(device, logits, uniforms, [1.0])[:, 0].tolist() == expected


def check_rings(device: CudaDevice, seed: int, precision: str) -> None:
    """Step by step `past` is the `present` of d, 2d, … steps ago, of any model."""
    spec, streams, steps = random_spec(seed), 2, 40
    element = ELEMENTS[precision]
    rng = np.random.default_rng(seed)
    memory = StepMemory(device, spec, streams, precision)
    start(memory, steps, forced=np.zeros((steps, streams), np.int32))
    longest = spec.kernel * max(spec.dilations)
    shape = (longest + steps, spec.layers, streams, spec.residual_channels)
    inputs = np.zeros(shape, element)  # of every layer
    for step in range(steps):
        own = memory.sets[step & 1]
        past = device.download(own["past"])
        for layer, dilation in enumerate(spec.dilations):
            for tap in range(1, spec.kernel):
                earlier = inputs[longest + step - tap * dilation, layer]
                assert np.array_equal(past[layer, tap - 1], earlier)
        inputs[longest + step] = rng.standard_normal(shape[1:]).astype(element)
        device.upload(own["present"], inputs[longest + step])
        memory.advance(step & 1)


def check_bias(
    device: CudaDevice, spec: ModelSpec, held: int, offset: int, precision: str = "fp32"
) -> None:
    """Sample i of a piece sees row (i + offset) // held."""
    streams, steps = 2, 25
    rows = -(-(steps + offset) // held)
    shape = (rows, spec.layers, streams, spec.gate_channels)
    bias = np.random.default_rng(held).standard_normal(shape).astype(np.float32)
    memory = StepMemory(device, spec, streams, precision)
    forced = np.zeros((steps, streams), np.int32)
    start(memory, steps, forced=forced, bias=bias, held=held, offset=offset)
    for step in range(steps):
        found = device.download(memory.sets[step & 1]["bias"])
        expected = bias[(step + offset) // held].astype(ELEMENTS[precision])
        assert np.array_equal(found, expected), f"sample {step}"
        memory.advance(step & 1)


def drawn(
    device: CudaDevice,
    logits: NDArray[np.float32],
    uniforms: NDArray[np.int32],
    temperatures: Sequence[float],
) -> Samples:
    """Samples (T, B) that the kernel draws from logits (T, B, A)."""
    steps, streams, classes = logits.shape
    spec = small_spec((1,), residual=1, gate=2, skip=1, head=1, classes=classes)
    memory = StepMemory(device, spec, streams, "fp32")
    inverse = inverse_temperatures(list(temperatures), streams)
    start(memory, steps, uniforms=uniforms, inverse=inverse)
    for step in range(steps):
        device.upload(memory.sets[step & 1]["params"], logits[step])
        memory.advance(step & 1)
    return device.download(memory.samples, steps)


def start(
    memory: StepMemory,
    steps: int,
    uniforms: NDArray[np.int32] | None = None,
    inverse: NDArray[np.float32] | None = None,
    forced: Samples | None = None,
    bias: NDArray[Any] | None = None,
    held: int = 0,
    offset: int = 0,
) -> None:
    """Lay out a block of `steps` samples and fill set 0."""
    assert steps <= memory.rows
    memory.set_block(bias, uniforms, inverse, forced)
    control = np.zeros(1, CONTROL)
    control["total"], control["forced"] = steps, forced is not None
    control["held"], control["offset"] = held, offset
    memory.prepare(0, control)
