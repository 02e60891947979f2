"""Canonical weights to the memory that wavenet.c reads: quantised, padded and put in tiles."""

from __future__ import annotations

import contextlib
import mmap
import sys
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.quantise import quantise
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

Array = NDArray[Any]
_HUGE, _SMALL = 1 << 21, 1 << 18
_ALIGNMENT = 64  # bytes; the C struct's members are aligned so
_START = 128  # team.h: APART
_EXACT_INPUTS = 512  # matrix.h
_NEVER = np.float32(-1e30)  # what only fills up a vector: no class of it is ever drawn


class Tiles(NamedTuple):
    """How a matrix lies in memory: [k/group, columns, group] for each tile of its columns.

    All of it depends on the CPU's vectors.
    """

    columns: int
    group: int
    """Weights of a column that lie together."""
    apart: int = 0
    """Where it is not 0, columns so far apart share words of 16 bits: the second's weight in the
    upper byte, the first's plus 128 in the lower; the words of `group` inputs lie together."""


def pack(spec: ModelSpec, weights: Weights, precision: str, tiles: Tiles) -> NDArray[np.uint8]:
    """The bytes of the C struct `model`, in its order; they begin at a multiple of 64."""
    half = spec.gate_channels // 2
    order = _gate_order(half)
    scale = np.float32(spec.residual_scale)
    parts: list[Array] = _input(spec, weights)

    def matrix(array: Array, column_order: Array | None = None) -> None:
        padded = _padded(array, 0, 1) if column_order is None else _padded(array, 0)
        if column_order is not None:
            padded = _gather(padded, column_order)
        parts.extend(_matrix(padded, precision, tiles))

    for layer in range(spec.layers):
        matrix(weights["gate.weight"][layer, 0], order)
        matrix(weights["residual.weight"][layer] * scale)
        matrix(weights["skip.weight"][layer])
        parts.append(_gather(weights["gate.bias"][layer], order))
        parts.append(_padded(weights["residual.bias"][layer] * scale, 0))
    parts.append(_padded(weights["skip.bias"], 0))
    finer = doubled(spec) if precision == "int8" else ()

    def head_matrix(name: str) -> None:
        matrix(weights[f"{name}.weight"])
        if name in finer:
            matrix(remainder(weights[f"{name}.weight"]))

    head_matrix("head.0")
    parts.append(_padded(weights["head.0.bias"], 0))
    head_matrix("head.1")
    params = _padded(weights["head.1.bias"], 0)
    params[spec.output.params :] = _NEVER
    parts.append(params)
    for tap in range(1, spec.kernel):
        for layer in range(spec.layers):
            matrix(weights["gate.weight"][layer, tap], order)
    return aligned(parts)


def doubled(spec: ModelSpec) -> tuple[str, ...]:
    """Of which matrices int8 has the remainder, too.

    Nearly all that int8 costs is there. Of a voice trained on digits, with classes, 0.006 bits a
    sample are the rounding of head.1; with its remainder less than 0.0002 are left. Amplitudes may
    be far surer of the next sample than a class is wide, in silence most of all: there head.0 cost
    0.013 bits of a mixture of logistics and 0.065 of a Gaussian, and 0.0001 and 0.002 with its
    remainder (`python -m bench.training.variants`).
    """
    return ("head.1",) if spec.output.codes else ("head.0", "head.1")


def remainder(matrix: Array) -> Array:
    """What `quantise` leaves of a matrix, for a second int8 matrix to hold: 15 bits together."""
    whole, scale = quantise(matrix)
    rest: Array = matrix - whole * scale
    return rest


def to_bfloat16(array: Array) -> NDArray[np.uint16]:
    """The upper 16 bits of float32, rounded to nearest even."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (rounded >> np.uint32(16)).astype(np.uint16)


def _matrix(matrix: Array, precision: str, tiles: Tiles) -> list[Array]:
    """The parts of one MATRIX(k, n) of matrix.h."""
    if precision == "fp32":
        return [_tiled(matrix, tiles)]
    if precision == "bf16":
        return [_tiled(to_bfloat16(matrix), tiles)]
    whole, scale = quantise(matrix)
    blocks = range(0, len(whole), _EXACT_INPUTS)
    sums = [128 * whole[i : i + _EXACT_INPUTS].sum(axis=0, dtype=np.int32) for i in blocks]
    return [_tiled(whole, tiles), scale, np.stack(sums)]


def _tiled(matrix: Array, tiles: Tiles) -> Array:
    """[k, n] to column tiles, one after the other."""
    rows, columns = matrix.shape
    if tiles.apart:
        grouped = _in_words(matrix, tiles)
    else:
        grouped = matrix.reshape(rows // tiles.group, tiles.group, columns).swapaxes(1, 2)
    starts = range(0, columns, tiles.columns)
    return np.concatenate([grouped[:, i : i + tiles.columns].ravel() for i in starts])


def _in_words(matrix: Array, tiles: Tiles) -> Array:
    """[k, n] int8 to [k/group, n, group], where every pair of bytes is the word of two columns."""
    rows, columns = matrix.shape
    shape = (rows // tiles.group, tiles.group, columns // (2 * tiles.apart), 2, tiles.apart)
    halves = matrix.reshape(shape).copy()
    halves[:, :, :, 0] ^= np.int8(-128)  # plus 128
    # [k/group, pairs of so many columns, apart, group, 2]; the first byte of a word is its lower.
    return halves.transpose(0, 2, 4, 1, 3).reshape(rows // tiles.group, columns, tiles.group)


def _gate_order(half: int) -> NDArray[np.intp]:
    """The canonical gate column in each place: 16 filters, their 16 gates, and so on; -1: none."""
    filters = np.full(-(-half // 16) * 16, -1)
    filters[:half] = np.arange(half)
    gates = np.where(filters < 0, -1, filters + half)
    return np.stack([filters.reshape(-1, 16), gates.reshape(-1, 16)], axis=1).ravel()


def _gather(array: Array, order: Array) -> Array:
    """The last axis in that order, zero where it says -1."""
    return np.where(order < 0, np.float32(0), array[..., order])


def _input(spec: ModelSpec, weights: Weights) -> list[Array]:
    """input.weight [k0, A, R padded], the bias in tap 0; for amplitudes [k0, R], and the bias."""
    table, bias = weights["input.weight"].copy(), weights["input.bias"]
    if spec.output.codes is None:
        return [_padded(table[:, 0], -1), _padded(bias, 0)]
    table[0] += bias
    return [_padded(table, -1)]


def _padded(array: Array, *axes: int) -> Array:
    """Zeros up to the next multiple of 16 on those axes."""
    widths = [(0, 0)] * array.ndim
    for axis in axes:
        widths[axis] = (0, -array.shape[axis] % 16)
    return np.pad(array, widths)


def aligned(parts: list[Array]) -> NDArray[np.uint8]:
    """Arrays as the members of a C struct that are aligned to 64: one after the other, padded."""
    starts, size = [], 0
    for part in parts:
        starts.append(size)
        size += -(-part.nbytes // _ALIGNMENT) * _ALIGNMENT
    packed = aligned_zeros(size)
    for start, part in zip(starts, parts, strict=True):
        packed[start : start + part.nbytes] = np.ascontiguousarray(part).view(np.uint8).ravel()
    return packed


def aligned_zeros(size: int) -> NDArray[np.uint8]:
    """`size` zero bytes that begin at a multiple of 128. Raises MemoryError."""
    if size < _SMALL:
        room = np.zeros(size + _START, np.uint8)
        start = -room.ctypes.data % _START
        return room[start : start + size]
    # Whole huge pages: small ones lie anywhere, and what nearly fills a cache crowds some of its
    # sets. Not where little is needed of the last.
    whole = -(-size // _HUGE) * _HUGE
    if whole - size > _HUGE * 3 // 4:
        whole = size
    try:
        memory = mmap.mmap(-1, whole + _HUGE)
    except (OSError, OverflowError) as error:
        raise MemoryError(f"{size:,} bytes") from error
    if sys.platform == "linux" and hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    room = np.frombuffer(memory, np.uint8)
    start = -room.ctypes.data % _HUGE
    return room[start : start + size]
