"""A schedule as the macros that the kernel is compiled with."""

from __future__ import annotations

import numpy as np

from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.macros import braces, of_model


def macros(schedule: Schedule) -> dict[str, object]:
    """Of shapes.cuh, name to value."""
    spec, w = schedule.spec, schedule.widths
    lines = np.cumsum([0, *((spec.kernel - 1) * d + 1 for d in spec.dilations)])
    return {
        **of_model(spec),
        "LINE_FIRST": braces(lines.tolist()),
        "PRECISION": schedule.precision.upper(),
        "R": w.residual,
        "Z": w.z,
        "S": w.skip,
        "H": w.head,
        "A": w.params,
        "STREAMS": schedule.streams,
        "CLUSTER": schedule.cluster,
        "FIRST_LAYER": braces(schedule.first_layer),
        "LAYER_RANKS": schedule.layer_ranks,
        "HEAD_RANK": schedule.head_rank,
        "PARAMS_RANK": schedule.params_rank,
        "GATE_WARPS": w.gate_warps,
        "RESIDUAL_WARPS": w.residual_warps,
        "SKIP_WARPS": w.skip_warps,
        "OLDER_WARPS": schedule.older_warps,
        "Z_DEPTH": schedule.z_depth,
        "SUMS_DEPTH": schedule.sums_depth,
        "SOURCE": schedule.source.upper(),
        "SKIP_READ": int(bool(schedule.read)),
        "OLDER_READ": int(schedule.read == "older"),
        "HEAD_READ": int(schedule.head_read),
        "SKIP_EARLY": schedule.skip_early,
        "FLAGS": int(schedule.flags),
        "MAIL_BYTES": schedule.mail_bytes,
        "STAGES": schedule.stages,
        "EMBED_SHARED": int(schedule.embed_shared),
        "CHAINED": int(schedule.chained),
        "LAYER_BYTES": schedule.layer_bytes,
        "MODEL_BYTES": schedule.model_bytes,
        "SHARED_BYTES": schedule.working_bytes,
    }
