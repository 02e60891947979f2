"""Stages that stretch rows, one after another: what each needs, and its kernel as a product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Level:
    """A stage with what of its inputs a run of frames needs."""

    scale: int
    """s."""
    back: int
    ahead: int
    rows: int
    """Rows of its input for each frame."""
    before: int
    """Rows of its input that are needed before the first frame's, and …"""
    after: int
    """… after the last one's."""
    skip: int
    """Rows of its output, made of those, to leave out at the front, …"""
    drop: int
    """… and at the end."""


def levels(scales: Sequence[int], back: Sequence[int], ahead: Sequence[int]) -> tuple[Level, ...]:
    """The stages, first to last: s of each, and the rows that it sees before and after its own."""
    found: list[Level] = []
    before = after = 0
    rows = math.prod(scales)
    for scale, behind, beyond in reversed(tuple(zip(scales, back, ahead, strict=True))):
        rows //= scale
        wide, long = -(-before // scale), -(-after // scale)
        skip, drop = wide * scale - before, long * scale - after
        before, after = wide + behind, long + beyond
        found.append(Level(scale, behind, beyond, rows, before, after, skip, drop))
    return tuple(reversed(found))


def dense(kernel: Array, channels: int) -> Array:
    """A stage's kernel [taps, s, frequency] as one product: (taps·C, s·C)."""
    taps, scale, width = kernel.shape
    table = np.zeros((taps, channels, scale, channels), kernel.dtype)
    for q in range(width):
        shift = q - width // 2
        for channel in range(max(0, -shift), min(channels, channels - shift)):
            table[:, channel + shift, :, channel] = kernel[:, :, q]
    return table.reshape(taps * channels, scale * channels)


def windows(c: Array, taps: int, count: int) -> Array:
    """A view of every `taps` rows: (B, count, taps, K)."""
    streams, _, width = c.shape
    by_stream, by_row, by_number = c.strides
    shape, strides = (streams, count, taps, width), (by_stream, by_row, by_row, by_number)
    view: Array = np.ndarray(shape, c.dtype, c, 0, strides)
    return view


def inside_of(within: Array, first: Level, level: Level) -> Array:
    """Which of a level's input rows are the clip's, from those of the first's."""
    spread = np.repeat(within, level.rows, axis=1)
    start = first.before * level.rows - level.before
    return spread[:, start : start + level.before + level.rows + level.after]
