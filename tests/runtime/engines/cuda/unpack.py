"""The struct Model read back, written from layout.cuh and the PTX ISA and nothing of pack.py.

PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type" and "… mma.m16n8k32": which
element of a 16-row operand A each lane's four registers hold. Which inputs its columns are follows
from how tiles.cuh reads operand B: a lane's two registers are eight bytes of a row side by side, so
that column c and the one half a tile further have neighbouring inputs. fp32 tiles are rows of 8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.cuda.schedule import Schedule

Array = NDArray[Any]
INPUTS = {"fp32": 8, "fp16": 16, "int8": 32}
"""Of a tile."""


def matrix_of(tile: Array, precision: str) -> Array:
    """The 512 bytes of a tile as (16, inputs)."""
    if precision == "fp32":
        return tile.view(np.float32).reshape(16, 8)
    inputs = INPUTS[precision]
    matrix = np.zeros((16, inputs), np.float16 if precision == "fp16" else np.int8)
    each = 2 if precision == "fp16" else 4  # elements of a register
    lanes = tile.view(matrix.dtype).reshape(32, 4 * each)
    for lane in range(32):
        group, in_group = lane >> 2, lane % 4
        for i in range(4 * each):
            if precision == "fp16":
                low_rows = i < 2 or 4 <= i < 6
                column = in_group * 2 + (i & 1) + (0 if i < 4 else 8)
            else:
                low_rows = i < 4 or 8 <= i < 12
                column = in_group * 4 + (i & 3) + (0 if i < 8 else 16)
            row = group if low_rows else group + 8
            matrix[row, input_of(column, inputs)] = lanes[lane, i]
    return matrix


def input_of(column: int, inputs: int) -> int:
    """Which of a tile's inputs, in the order of a row in memory, is operand B's row `column`."""
    half, rest = divmod(column, inputs // 2)
    each = inputs // 8  # of a register
    lane_column, i = divmod(rest, each)
    return lane_column * 2 * each + half * each + i


@dataclass
class Unpacked:
    """Matrices [inputs, outputs], padded; dequantised with int8, but not by the inputs' scale."""

    gates: list[list[Array]]
    """Of each layer: tap 0, the older taps; [R, 2 Z], filters before gates."""
    chained: list[Array | None]
    residual: list[Array]
    skip: list[Array]
    gate_bias: list[Array]
    residual_bias: list[Array]
    row_scales: list[list[Array]]
    """int8: of each layer's matrices in the order of the struct, one an output."""
    inverse: list[Array]
    head0: Array
    head1: Array
    skip_bias: Array
    head0_bias: Array
    head1_bias: Array
    input_scale: Array


Put = Callable[[Array], Array]
"""Rows of tiles to channels."""
Shape = tuple[int, int, Put]
"""Of a matrix: tiles of its outputs and of its inputs, and how its rows are put."""


@dataclass
class Matrix:
    """[inputs, outputs], dequantised, and with int8 the scale of each output."""

    values: Array
    scale: Array | None


class _Reader:
    def __init__(self, schedule: Schedule, packed: NDArray[np.uint8]) -> None:
        self.schedule, self.packed, self.at = schedule, packed, 0

    def floats(self, *shape: int) -> Array:
        size = 4 * int(np.prod(shape))
        found = self.packed[self.at : self.at + size].view(np.float32).reshape(shape)
        self.at += size
        return found

    def matrices(
        self, shapes: list[Shape], between: Callable[[], None] | None = None
    ) -> list[Matrix]:
        """Tiles of each (rows, columns), what stands between, and with int8 the scales of each."""
        precision = self.schedule.precision
        raw = [self.tiles(rows, columns, precision) for rows, columns, _ in shapes]
        if between is not None:
            between()
        found = []
        for each, (rows, _, put) in zip(raw, shapes, strict=True):
            scale = self.floats(rows, 16) if precision == "int8" else None
            whole = each if scale is None else each * scale[:, :, None]
            found.append(
                Matrix(put(whole.astype(np.float32)).T, None if scale is None else put(scale))
            )
        return found

    def tiles(self, rows: int, columns: int, precision: str) -> Array:
        """[rows of tiles, 16, inputs]."""
        size = rows * columns * 512
        raw = self.packed[self.at : self.at + size].reshape(rows, columns, 512)
        self.at += size
        return np.array(
            [np.concatenate([matrix_of(tile, precision) for tile in row], axis=1) for row in raw]
        )


def channels(rows: Array) -> Array:
    """[tiles, 16, …] with row r channel 2r of a tile, row r + 8 channel 2r + 1 -> [16 tiles, …]."""
    ordered = np.empty_like(rows)
    ordered[:, 0::2], ordered[:, 1::2] = rows[:, :8], rows[:, 8:]
    return ordered.reshape(-1, *rows.shape[2:])


def gate_channels(rows: Array) -> Array:
    """[tiles, 16, …] with eight filters before their gates -> [2 Z, …], filters before gates."""
    filters, gates = rows[:, :8], rows[:, 8:]
    tail = rows.shape[2:]
    return np.concatenate([filters.reshape(-1, *tail), gates.reshape(-1, *tail)])


def read_biases(found: Unpacked, read: _Reader, gates: int, residuals: int) -> None:
    """Of the next layer."""
    found.gate_bias.append(gate_channels(read.floats(gates, 16)))
    found.residual_bias.append(channels(read.floats(residuals, 16)))


def unpack(schedule: Schedule, packed: NDArray[np.uint8]) -> Unpacked:
    """All but the embedding. Raises AssertionError where it does not end in that."""
    spec, w, precision = schedule.spec, schedule.widths, schedule.precision
    read = _Reader(schedule, packed)
    k = INPUTS[precision]
    gates, residuals, skips = w.z // 8, w.residual // 16, w.skip // 16
    found = Unpacked([], [], [], [], [], [], [], [], *(np.zeros(0) for _ in range(6)))
    own: list[list[Matrix]] = []
    older: list[list[Matrix]] = []
    skip: list[list[Matrix]] = []

    def read_older() -> None:
        older.append(read.matrices([(gates, w.residual // k, gate_channels)] * (spec.kernel - 1)))

    def read_skip() -> None:
        skip.append(read.matrices([(skips, w.z // k, channels)]))

    for _ in range(spec.layers):
        chained: list[Shape] = [(gates, w.z // k, gate_channels)] * schedule.chained
        shapes: list[Shape] = [(gates, w.residual // k, gate_channels), *chained]
        shapes.append((residuals, w.z // k, channels))
        own.append(read.matrices(shapes, lambda: read_biases(found, read, gates, residuals)))
        if precision == "int8":
            found.inverse.append(read.floats(4))
        if schedule.read != "older":
            read_older()
        if not schedule.read:
            read_skip()
    for _ in range(spec.layers * (schedule.read == "older")):
        read_older()
    for _ in range(spec.layers * bool(schedule.read)):
        read_skip()
    for (current, *chain, residual), past, (last,) in zip(own, older, skip, strict=True):
        found.gates.append([each.values for each in (current, *past)])
        found.chained.append(chain[0].values if chain else None)
        found.residual.append(residual.values)
        found.skip.append(last.values)
        order = (current, *chain, *past, residual, last)
        found.row_scales.append([each.scale for each in order if each.scale is not None])
    head = "fp32" if precision == "fp32" else "fp16"
    found.head0 = channels(read.tiles(w.head // 16, w.skip // INPUTS[head], head)).T
    found.head1 = channels(read.tiles(w.params // 16, w.head // INPUTS[head], head)).T
    found.skip_bias, found.head0_bias = read.floats(w.skip), read.floats(w.head)
    found.head1_bias = read.floats(w.params)
    found.input_scale = read.floats(-(-spec.layers // 4) * 4)
    assert len(packed) - read.at == schedule.embedding_bytes
    return found
