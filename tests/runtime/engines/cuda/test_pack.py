"""Packed weights, read back by another hand, are the weights; and int8's activations fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.models.specs import CORNERS, random_samples, random_spec, random_weights
from tests.runtime.engines.cuda.schedules import FIVE_LAYERS, blocks, clusters
from tests.runtime.engines.cuda.unpack import Unpacked, unpack
from wn_runtime.engines.cuda.pack import input_scales, pack
from wn_runtime.engines.cuda.schedule import PRECISIONS, Schedule
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

Array = NDArray[Any]
LARGEST = 32639
"""Of int16 activations: both of its bytes are signed."""
MODELS = {name: CORNERS[name] for name in ("uneven", "input_kernel_2", "kernel_3")} | {
    f"random-{seed}": random_spec(seed) for seed in range(4)
}
SEVERAL_LAYERS = {"five_layers": FIVE_LAYERS} | {
    name: spec for name, spec in MODELS.items() if spec.layers > 1
}


def unpacked(schedule: Schedule) -> tuple[Unpacked, Weights]:
    weights = random_weights(schedule.spec)
    return unpack(schedule, pack(schedule, weights)), weights


def check(
    found: Array,
    expected: Array,
    precision: str,
    scale: Array | None = None,
    input_scale: float = 1,
) -> None:
    """Each number is the nearest that its precision has; what fills up a tile is 0."""
    inside = tuple(slice(size) for size in expected.shape)
    padding = found.copy()
    padding[inside] = 0
    assert not padding.any(), "padding is not zero"
    if precision == "fp32":
        assert np.array_equal(found[inside], expected.astype(np.float32))
    elif precision == "fp16":
        assert np.array_equal(found[inside], expected.astype(np.float16).astype(np.float32))
    else:
        assert scale is not None
        step = (scale / input_scale)[: expected.shape[-1]]
        assert (np.abs(found[inside] / input_scale - expected) <= 0.501 * step).all()
        most = np.abs(expected).max(axis=0)
        assert (step[most > 0] <= most[most > 0] / 126.9).all(), "coarse steps"


def gate_halves(matrix: Array, z: int) -> Array:
    """[…, 2 Z] to [2, …, Z]: a channel and its padding side by side."""
    return np.stack([matrix[..., :z], matrix[..., z:]])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", MODELS)
def test_a_block_s_weights_are_the_model_s(name: str, precision: str) -> None:
    spec = MODELS[name]
    schedule = blocks(spec, precision, 2)["direct"]
    assert not schedule.chained
    found, weights = unpacked(schedule)
    z, half = schedule.widths.z, spec.gate_channels // 2
    factor = np.float32(spec.residual_scale)
    for layer in range(spec.layers):
        scales = found.row_scales[layer] if precision == "int8" else [None] * (spec.kernel + 2)
        h_scale = float(found.input_scale[layer]) if precision == "int8" else 1
        z_scale = 1 / LARGEST if precision == "int8" else 1
        for tap, matrix in enumerate(found.gates[layer]):
            own = weights["gate.weight"][layer, tap]
            for number in range(2):
                part = slice(half) if number == 0 else slice(half, None)
                of_rows = scales[tap]
                scale = None if of_rows is None else gate_halves(of_rows, z)[number]
                check(gate_halves(matrix, z)[number], own[:, part], precision, scale, h_scale)
        residual = weights["residual.weight"][layer] * factor
        check(found.residual[layer], residual, precision, scales[-2], z_scale)
        check(found.skip[layer], weights["skip.weight"][layer], precision, scales[-1], z_scale)
        bias = gate_halves(found.gate_bias[layer], z)
        check(bias[0], weights["gate.bias"][layer, :half], "fp32")
        check(bias[1], weights["gate.bias"][layer, half:], "fp32")
        check(found.residual_bias[layer], weights["residual.bias"][layer] * factor, "fp32")
    head = "fp32" if precision == "fp32" else "fp16"
    check(found.head0, weights["head.0.weight"], head)
    check(found.head1, weights["head.1.weight"], head)
    check(found.skip_bias, weights["skip.bias"], "fp32")
    check(found.head0_bias, weights["head.0.bias"], "fp32")


@pytest.mark.parametrize("precision", ["int8", "fp16"])
@pytest.mark.parametrize("name", SEVERAL_LAYERS)
def test_one_product_a_layer_is_two(name: str, precision: str) -> None:
    """What the gates get of h before the layer, and of its z, is what they get of h after it."""
    spec = SEVERAL_LAYERS[name]
    kind = "cluster-split" if spec is FIVE_LAYERS else "cluster"
    schedule = clusters(spec, precision, 1)[kind]
    assert schedule.chained
    found, weights = unpacked(schedule)
    r, half, z_width = spec.residual_channels, spec.gate_channels // 2, schedule.widths.z
    rng, compared = np.random.default_rng(0), 0
    for layer in range(spec.layers):
        chained = found.chained[layer]
        assert chained is not None
        scales = found.input_scale if precision == "int8" else np.ones(spec.layers)
        z_scale = 1 / LARGEST if precision == "int8" else 1
        if layer in schedule.first_layer:
            assert not chained.any(), "a block's first layer has h itself"
            continue
        h, z = rng.standard_normal((50, r)), rng.uniform(-1, 1, (50, half))
        residual = z @ weights["residual.weight"][layer - 1] + weights["residual.bias"][layer - 1]
        after = (h + residual) * spec.residual_scale
        expected = after @ weights["gate.weight"][layer, 0] + weights["gate.bias"][layer]
        sums = h @ found.gates[layer][0][:r] / scales[layer - 1] + z @ chained[:half] / z_scale
        sums = gate_halves(sums + found.gate_bias[layer], z_width)[..., :half]
        error = np.abs(np.concatenate(list(sums), axis=-1) - expected).max()
        assert error <= {"int8": 2e-2, "fp16": 2e-3}[precision] * np.abs(expected).max()
        compared += 1
    assert compared


def test_params_that_fill_up_a_tile_are_never_drawn() -> None:
    spec = MODELS["uneven"]
    assert isinstance(spec.output, Softmax)
    found, weights = unpacked(blocks(spec, "fp16", 1)["direct"])
    own = spec.output.params
    assert np.array_equal(found.head1_bias[:own], weights["head.1.bias"])
    assert len(found.head1_bias) > own
    assert (found.head1_bias[own:] < -1e29).all()


@pytest.mark.parametrize("name", MODELS)
def test_int8_s_activations_never_saturate(name: str) -> None:
    """Whatever the samples: what a layer's input can be lies inside its scale."""
    spec = MODELS[name]
    weights = random_weights(spec)
    largest = largest_inputs(spec, weights)
    scales = input_scales(spec, weights)
    assert scales.shape == (spec.layers + 1,)
    assert (largest <= scales[:-1] * LARGEST * (1 + 1e-5)).all()
    assert (largest >= scales[:-1] * LARGEST / 30).all(), "bits are given away"
    schedule = blocks(spec, "int8", 1)["direct"]
    found = unpack(schedule, pack(schedule, weights))
    assert np.array_equal(found.input_scale[: spec.layers], scales[:-1])
    for layer, inverse in enumerate(found.inverse):
        np.testing.assert_allclose(inverse[:2], 1 / scales[layer : layer + 2], rtol=1e-6)


def largest_inputs(spec: ModelSpec, weights: Weights) -> Array:
    """max |h| of each layer (L,) over random samples, by the layer equation."""
    steps, streams = 200, 8
    samples = random_samples(spec, steps, streams)
    h = np.zeros((steps, streams, spec.residual_channels)) + weights["input.bias"]
    for j in range(spec.input_kernel):
        h[j:] += weights["input.weight"][j][samples[: steps - j]]
    half, largest = spec.gate_channels // 2, []
    for layer, dilation in enumerate(spec.dilations):
        largest.append(np.abs(h).max())
        a = np.zeros((steps, streams, spec.gate_channels)) + weights["gate.bias"][layer]
        for tap in range(spec.kernel):
            past = np.pad(h, ((tap * dilation, 0), (0, 0), (0, 0)))[:steps]
            a += past @ weights["gate.weight"][layer, tap]
        z = np.tanh(a[..., :half]) / (1 + np.exp(-a[..., half:]))
        residual = z @ weights["residual.weight"][layer] + weights["residual.bias"][layer]
        h = (h + residual) * spec.residual_scale
    return np.array(largest)
