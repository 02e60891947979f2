"""Schedules of the CUDA engine for tests: every kind that a GPU can run, of one model.

They are made from what `alone` and `clustered` give, so that they are schedules of the product.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

from tests.models.specs import SPEAKER, small_spec
from wn_runtime.engines.cuda.alone import alone
from wn_runtime.engines.cuda.schedule import READS, Schedule
from wn_runtime.engines.cuda.several import clustered, flagged
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.model.spec import ModelSpec

FIVE_LAYERS = small_spec((1, 2, 4, 1, 3), kernel=3, conditions=(SPEAKER,), input_kernel=2)
"""Enough for two blocks with more than one layer each."""
H100_SHARED = 227 * 1024
"""Bytes of shared memory that a block can have there."""
PORTABLE, MOST = 8, 16
"""Blocks of a cluster: on every GPU that has them, and on those of data centres."""


def blocks(
    spec: ModelSpec, precision: str, streams: int, shared: int = H100_SHARED
) -> dict[str, Schedule]:
    """Those of one thread block a group, by where its weights are: with fp32 in global memory."""
    chosen = alone(spec, precision, streams, shared)
    plain = dataclasses.replace(chosen, embed_shared=False)
    found = {"direct": dataclasses.replace(plain, source="direct", stages=0)}
    if precision == "fp32":
        return found
    found["resident"] = dataclasses.replace(plain, source="resident", stages=0)
    rings = [dataclasses.replace(plain, source="ring", stages=stages) for stages in (3, 2)]
    found["ring"] = next((ring for ring in rings if ring.shared_bytes <= shared), rings[-1])
    found["ring-embedded"] = dataclasses.replace(found["ring"], embed_shared=True)
    found["resident-embedded"] = dataclasses.replace(found["resident"], embed_shared=True)
    return {name: each for name, each in found.items() if each.shared_bytes <= shared}


def clusters(
    spec: ModelSpec, precision: str, streams: int, shared: int = H100_SHARED, most: int = PORTABLE
) -> dict[str, Schedule]:
    """Those of a cluster a group: with all layers in one block, and shared out among several.

    The latter is what a GPU with less shared memory would have to run; also with what may be read
    from global memory left there.
    """
    found = {}
    whole = clustered(spec, precision, streams, shared, most)
    if whole is not None:
        found["cluster"] = whole
    for read in READS:
        family = functools.partial(clustered, most=most, read=read)
        split = _split(family, spec, precision, streams, shared)
        if split is not None:
            found[f"cluster-{read or 'split'}"] = split
    return found


def flags(
    spec: ModelSpec,
    precision: str,
    streams: int,
    shared: int = H100_SHARED,
    most: int = PORTABLE,
    signals: bool = True,
) -> dict[str, Schedule]:
    """Those of up to `most` blocks that hand over by flags: one product a layer, and two.

    signals: whether the GPU has mbarriers, which one product needs.
    """
    found = {}
    for name, read, chained in (
        ("flags", "", signals),
        ("flags-older", "older", signals),
        ("flags-two", "skip", False),
    ):
        family = functools.partial(flagged, most=most, read=read, signals=chained)
        split = _split(family, spec, precision, streams, shared)
        if split is not None:
            found[name] = split
    return found


def _split(
    family: Callable[..., Schedule | None],
    spec: ModelSpec,
    precision: str,
    streams: int,
    shared: int,
) -> Schedule | None:
    """With as much shared memory as leaves a group layers in several blocks."""
    while (found := family(spec, precision, streams, shared)) is not None:
        if found.layer_ranks > 1:
            return found
        shared = found.shared_bytes - 1
    return None


def every(spec: ModelSpec, precision: str, streams: int) -> dict[str, Schedule]:
    """All of these, as on an H100."""
    several = clusters(spec, precision, streams) | flags(spec, precision, streams)
    return blocks(spec, precision, streams) | several


def runnable(
    device: CudaDevice, spec: ModelSpec, precision: str, streams: int, groups: int
) -> dict[str, Schedule]:
    """All of these that this GPU can run, of so many groups.

    A ring needs compute capability 8.0, a cluster 9.0, blocks that hand over by flags a
    multiprocessor each.
    """
    capability = tuple(int(part) for part in device.compute_capability.split("."))
    found = blocks(spec, precision, streams, device.shared_bytes)
    if capability < (8, 0):
        found = {name: each for name, each in found.items() if each.source != "ring"}
    at_once = device.multiprocessors // groups
    found |= flags(
        spec, precision, streams, device.shared_bytes, at_once, signals=capability >= (8, 0)
    )
    if capability >= (9, 0):
        found |= clusters(spec, precision, streams, device.shared_bytes)
    if "cluster" not in found and (9, 0) <= capability < (12, 0):
        large = clusters(spec, precision, streams, device.shared_bytes, MOST)
        found |= {name: each for name, each in large.items() if name == "cluster"}
    return found
