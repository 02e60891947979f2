"""Schedules of several blocks a group: the layers shared out among them, then the head's blocks.

blocks   0 … n-1   layers in order, the earlier blocks no fewer than the later
block    n         the head's first product, in a block of its own, as the next: so that its
                   weights lie in registers when their turn comes
block    n+1       the second, and the draw
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

from wn_runtime.engines.cuda.alone import with_embedding
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.model.spec import ModelSpec

_BYTES_A_LAYER = 12_000
"""That a block reads while the chain goes through a layer: what it takes (`costs.CHAINED_CYCLES`)
by what loads bring a clock (`costs.BLOCK_BYTES`), rounded down."""
_MOST_HELD = 16
"""Tiles of the head that a warp reads ahead (head.cuh: MOST_HELD)."""


def clustered(
    spec: ModelSpec, precision: str, streams: int, shared: int, most: int, read: str = ""
) -> Schedule | None:
    """A cluster of the fewest blocks, up to `most`, that do; None where there are none.

    shared: bytes of shared memory that a block can have. read: one of schedule.READS.
    """
    return _fewest(spec, precision, streams, shared, most, read, chained=None, flags=False)


def flagged(
    spec: ModelSpec,
    precision: str,
    streams: int,
    shared: int,
    most: int,
    read: str = "",
    signals: bool = True,
) -> Schedule | None:
    """The fewest blocks, up to `most`, of no cluster that hand over by flags in global memory.

    With one product a layer where those fit, else with two, which take less memory. signals:
    whether the GPU has mbarriers, as one product needs them: compute capability 8.0 and newer.
    """
    for chained in (True, False) if signals else (False,):
        found = _fewest(spec, precision, streams, shared, most, read, chained, flags=True)
        if found is not None:
            return found
    return None


def _fewest(
    spec: ModelSpec,
    precision: str,
    streams: int,
    shared: int,
    most: int,
    read: str,
    chained: bool | None,
    flags: bool,
) -> Schedule | None:
    """chained: whether a layer has one product; None: where its blocks have two layers or more."""
    if precision == "fp32":
        return None
    one = _of_blocks(spec, precision, streams, [spec.layers], read, bool(chained), flags)
    least = -(-spec.layers * one.layer_bytes // max(shared, 1))
    for layer_blocks in range(max(least, 1), min(spec.layers, most - 2) + 1):
        if chained and spec.layers < 2 * layer_blocks:
            break
        for sizes in _shares(spec.layers, layer_blocks, bool(read)):
            schedule = _of_blocks(spec, precision, streams, sizes, read, chained, flags)
            if schedule.shared_bytes > shared:
                schedule = dataclasses.replace(schedule, head_read=True)
            if schedule.shared_bytes <= shared and (
                not schedule.head_read or _holds_head(schedule)
            ):
                return with_embedding(schedule, shared)
    return None


def _shares(layers: int, blocks: int, few_last: bool) -> Iterator[list[int]]:
    """Layers of each block: evenly; then, where the last has more to hold of each, fewer there."""
    yield _evenly(layers, blocks)
    if not few_last or blocks == 1:
        return
    least = min(2, layers // blocks)
    for last in range(layers // blocks - (layers % blocks == 0), least - 1, -1):
        yield [*_evenly(layers - last, blocks - 1), last]


def _evenly(layers: int, blocks: int) -> list[int]:
    """The earlier blocks have one more where it does not come out even."""
    return [layers // blocks + (i < layers % blocks) for i in range(blocks)]


def _of_blocks(
    spec: ModelSpec,
    precision: str,
    streams: int,
    sizes: list[int],
    read: str,
    chained: bool | None,
    flags: bool,
) -> Schedule:
    """With so many layers in each block."""
    blocks = len(sizes)
    ends = list(itertools.accumulate(sizes, initial=0))
    schedule = Schedule(
        spec,
        precision,
        streams,
        (*ends, spec.layers, spec.layers),
        blocks,
        blocks + 1,
        "resident",
        chained=min(sizes) >= 2 if chained is None else chained,
        most_warps=_warps(spec, streams),
        read=read,
        flags=flags,
    )
    return dataclasses.replace(schedule, skip_early=_skip_early(schedule))


def _skip_early(schedule: Schedule) -> int:
    """The first block that could not read its skip weights while the chain is behind it."""
    last = schedule.layer_ranks - 1
    for rank in range(last):
        to_come = schedule.spec.layers - schedule.first_layer[rank + 1]
        reading = schedule.layers_of(rank) * schedule.skip_bytes * bool(schedule.read)
        if reading > to_come * _BYTES_A_LAYER:
            return rank
    return last


def _holds_head(schedule: Schedule) -> bool:
    """Whether the head's tiles are read ahead, a row of them by each warp."""
    w = schedule.widths
    rows, inputs = max(w.head, w.params) // 16, max(w.skip, w.head) // 16
    return schedule.streams <= 8 and rows <= schedule.warps and inputs <= _MOST_HELD


def _warps(spec: ModelSpec, streams: int) -> tuple[int, int, int, int]:
    """Few, as they share the issue slots of an SM with the chain; found by trial on an H200."""
    if streams > 1:
        return 8, 4, 4, 4
    return (4, 2, 8, 2) if spec.skip_channels <= 128 else (4, 4, 4, 4)
