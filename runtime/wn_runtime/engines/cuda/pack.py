"""Canonical weights to the struct Model of layout.cuh: padded, quantised, and put in tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.quantise import quantise
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

Array = NDArray[Any]
_LARGEST = np.float32(32639)  # 256 * 127 + 127
_ROUNDING = 1 + 1 / 64
_NEVER = np.float32(-1e30)  # params that only fill up a tile: no class of them is ever drawn
_ELEMENTS: dict[str, np.dtype[Any]] = {
    "int8": np.dtype(np.int8),
    "fp16": np.dtype(np.float16),
    "fp32": np.dtype(np.float32),
}


def pack(schedule: Schedule, weights: Weights) -> NDArray[np.uint8]:
    """The bytes of the model as one kernel reads them."""
    spec, w = schedule.spec, schedule.widths
    precision = schedule.precision
    scales = input_scales(spec, weights) if precision == "int8" else None
    parts: list[Array] = []
    older: list[Array] = []  # of all layers, where they are read
    skip: list[Array] = []
    for layer in range(spec.layers):
        packed_layer = _layer(schedule, weights, layer, scales)
        parts += packed_layer.own
        (older if schedule.read == "older" else parts).extend(packed_layer.older)
        (skip if schedule.read else parts).extend(packed_layer.skip)
    parts += [*older, *skip]
    head = "fp32" if precision == "fp32" else "fp16"
    for name, k, n in (("head.0", w.skip, w.head), ("head.1", w.head, w.params)):
        parts.append(_tiles(_pairs(_fit(weights[f"{name}.weight"], k, n)), head))
    parts += [_fit(weights["skip.bias"], w.skip), _fit(weights["head.0.bias"], w.head)]
    params = _fit(weights["head.1.bias"], w.params)
    params[spec.output.params :] = _NEVER
    parts.append(params)
    ones = np.ones(spec.layers, np.float32)
    parts.append(_fit(ones if scales is None else scales[:-1], -(-spec.layers // 4) * 4))
    parts += _embedding(spec, weights, w.residual)
    packed = np.concatenate([np.ascontiguousarray(part).view(np.uint8).ravel() for part in parts])
    assert packed.nbytes == schedule.model_bytes, (packed.nbytes, schedule.model_bytes)
    return packed


def input_scales(spec: ModelSpec, weights: Weights) -> NDArray[np.float32]:
    """What one step of the int16 activations stands for at each layer's input, (L + 1).

    |z| < 1 and the samples are bounded, so the weights bound what each layer's input can be: no
    search for the largest at run time, and nothing ever saturates.
    """
    table = np.abs(weights["input.weight"]).max(axis=1)  # [k0, R]: the largest of any class
    bound = table.sum(axis=0, dtype=np.float64) + np.abs(weights["input.bias"])
    scales = [bound.max()]
    for residual, bias in zip(weights["residual.weight"], weights["residual.bias"], strict=True):
        bound = (bound + np.abs(residual).sum(axis=0) + np.abs(bias)) * spec.residual_scale
        scales.append(bound.max())
    # The rounding of weights, to int8 and in the products, may lift a sum by a little.
    largest = np.maximum(np.array(scales) * _ROUNDING, 1e-30)
    return (largest / _LARGEST).astype(np.float32)


@dataclass(frozen=True)
class _Layer:
    """The struct Layer up to the structs Older and Skip, and those."""

    own: list[Array]
    older: list[Array]
    skip: list[Array]


def _layer(
    schedule: Schedule, weights: Weights, layer: int, scales: NDArray[np.float32] | None
) -> _Layer:
    spec, w = schedule.spec, schedule.widths
    precision, half = schedule.precision, spec.gate_channels // 2
    factor = np.float32(spec.residual_scale)
    taps = list(weights["gate.weight"][layer])
    bias, of_current = weights["gate.bias"][layer], layer
    chained = []
    if schedule.chained:
        product = np.zeros((half, spec.gate_channels), np.float32)
        if layer not in schedule.first_layer:  # see layout.cuh
            before = weights["residual.weight"][layer - 1] * factor
            bias = bias + weights["residual.bias"][layer - 1] * factor @ taps[0]
            product, taps[0], of_current = before @ taps[0], taps[0] * factor, layer - 1
        chained.append(_gates(product, half, w.z, w.z))
    gates = [_gates(tap, half, w.residual, w.z) for tap in taps]
    residual = _pairs(_fit(weights["residual.weight"][layer] * factor, w.z, w.residual))
    skip = _pairs(_fit(weights["skip.weight"][layer], w.z, w.skip))
    gate_bias = _gates(bias[None], half, 1, w.z)[:, :, 0]
    residual_bias = _pairs(_fit(weights["residual.bias"][layer] * factor, w.residual)[None])[
        :, :, 0
    ]
    own, biases = [gates[0], *chained, residual], [gate_bias, residual_bias]
    if scales is None:
        return _Layer(
            [*(_tiles(matrix, precision) for matrix in own), *biases],
            [_tiles(matrix, precision) for matrix in gates[1:]],
            [_tiles(skip, precision)],
        )
    of_z = 1 / _LARGEST
    of_own = [scales[of_current], *[of_z] * len(chained), of_z]
    inverse = np.zeros(4, np.float32)
    inverse[:2] = 1 / scales[layer : layer + 2]
    tiles, rows = _quantised(own, of_own)
    older = _quantised(gates[1:], [scales[layer]] * (spec.kernel - 1))
    of_skip = _quantised([skip], [of_z])
    return _Layer(
        [*tiles, *biases, *rows, inverse], [*older[0], *older[1]], [*of_skip[0], *of_skip[1]]
    )


def _quantised(matrices: list[Array], of_inputs: list[Any]) -> tuple[list[Array], list[Array]]:
    """Tiles of int8, and what a step of each row's sums stands for; of_inputs: of the inputs'."""
    tiles: list[Array] = []
    rows: list[Array] = []
    for matrix, of_input in zip(matrices, of_inputs, strict=True):
        count, outputs, inputs = matrix.shape
        whole, scale = quantise(matrix.reshape(count * outputs, inputs).T)
        tiles.append(_tiles(whole.T.reshape(matrix.shape), "int8"))
        rows.append((scale * of_input).reshape(count, outputs))
    return tiles, rows


def _embedding(spec: ModelSpec, weights: Weights, residual: int) -> list[Array]:
    """The struct Embedding."""
    table, bias = weights["input.weight"].copy(), weights["input.bias"]
    if spec.output.codes is None:
        return [_fit(table[:, 0], len(table), residual), _fit(bias, residual)]
    table[0] += bias
    return [_fit(table, *table.shape[:2], residual)]


def _fit(array: Array, *shape: int) -> NDArray[np.float32]:
    """Zeros up to that shape."""
    widths = [(0, to - have) for have, to in zip(array.shape, shape, strict=True)]
    return np.pad(array, widths).astype(np.float32)


def _pairs(matrix: Array) -> Array:
    """[K, N] to outputs by tiles [N/16, 16, K]: row r is channel 2r of the 16, row r + 8 2r + 1."""
    columns = matrix.T.reshape(-1, 8, 2, matrix.shape[0])
    return columns.swapaxes(1, 2).reshape(-1, 16, matrix.shape[0])


def _gates(matrix: Array, half: int, inputs: int, z: int) -> Array:
    """[K, G] to tiles [Z/8, 16, inputs]: eight filters, then their gates."""
    parts = [_fit(matrix[:, part], inputs, z) for part in (slice(half), slice(half, None))]
    return np.stack([part.T.reshape(-1, 8, inputs) for part in parts], axis=1).reshape(
        -1, 16, inputs
    )


def _tiles(matrix: Array, precision: str) -> Array:
    """[M, 16, K] to [M, K/inputs of a tile, 32 lanes, 16 bytes], as tiles.cuh says."""
    element = _ELEMENTS[precision]
    tiles, _, inputs = matrix.shape
    each = 32 // element.itemsize
    cast = matrix.astype(element)
    if precision == "fp32":
        rows: Array = cast.reshape(tiles, 16, inputs // each, each).swapaxes(1, 2)
        return rows
    # Row half, row; of the inputs the tile, the lane's column, the half, and what a word holds.
    words: Array = cast.reshape(tiles, 2, 8, inputs // each, 4, 2, 4 // element.itemsize)
    packed: Array = words.transpose(0, 3, 2, 4, 5, 1, 6)
    return packed
