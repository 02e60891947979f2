"""The schedule of one block a group, which any GPU can run."""

from __future__ import annotations

import dataclasses

from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model.spec import ModelSpec


def alone(
    spec: ModelSpec, precision: str, streams: int, shared: int, copies: bool = True
) -> Schedule:
    """One block a group: its weights resident where they fit, else through a ring, else read.

    shared: bytes of shared memory that a block can have. copies: whether the GPU fills shared
    memory while its threads go on, as a ring needs it: compute capability 8.0 and newer.
    """
    few = streams < 8
    base = {
        "spec": spec,
        "precision": precision,
        "streams": streams,
        "first_layer": (0, spec.layers),
        "head_rank": 0,
        "params_rank": 0,
        "most_warps": (8, 4, 4, 4) if few else (8, 4, 8, 8),
    }
    if precision != "fp32":
        resident = Schedule(**base, source="resident")  # type: ignore[arg-type]
        if resident.shared_bytes <= shared:
            return with_embedding(resident, shared)
        for stages in (4, 3, 2) if copies else ():
            ring = Schedule(**base, source="ring", stages=stages)  # type: ignore[arg-type]
            if ring.shared_bytes <= shared and ring.stage_holds_head:
                return with_embedding(ring, shared)
    direct = with_embedding(Schedule(**base, source="direct"), shared)  # type: ignore[arg-type]
    if direct.shared_bytes > shared:
        voices = "a stream" if streams == 1 else f"{streams} streams"
        raise EngineUnavailable(
            f"a thread block needs {direct.shared_bytes} bytes of shared memory for {voices} of "
            f"this model, the GPU gives {shared}; use another engine"
        )
    return direct


def with_embedding(schedule: Schedule, shared: int) -> Schedule:
    """The schedule with its embedding in shared memory, where there is room."""
    there = dataclasses.replace(schedule, embed_shared=True)
    return there if there.shared_bytes <= shared else schedule
