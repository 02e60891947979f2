"""A schedule as the macros that the kernel is compiled with."""

from __future__ import annotations

import numpy as np

from wn_runtime.engines.cuda.schedule import Schedule


def macros(schedule: Schedule) -> dict[str, object]:
    """Of shapes.cuh, name to value."""
    spec, head, w = schedule.spec, schedule.spec.output, schedule.widths
    lines = np.cumsum([0, *((spec.kernel - 1) * d + 1 for d in spec.dilations)])
    values: dict[str, object] = {
        "LAYERS": spec.layers,
        "KERNEL": spec.kernel,
        "INPUT_KERNEL": spec.input_kernel,
        "RESIDUAL": spec.residual_channels,
        "GATE": spec.gate_channels,
        "SKIP": spec.skip_channels,
        "HEAD": spec.head_channels,
        "PARAMS": head.params,
        "CODES": head.codes or 0,
        "UNIFORMS": head.uniforms,
        **head.constants(),
        "DILATIONS": _braces(spec.dilations),
        "LINE_FIRST": _braces(lines.tolist()),
        "RESIDUAL_SCALE": float(np.float32(spec.residual_scale)).hex() + "f",
        "PRECISION": schedule.precision.upper(),
        "R": w.residual,
        "Z": w.z,
        "S": w.skip,
        "H": w.head,
        "A": w.params,
        "STREAMS": schedule.streams,
        "CLUSTER": schedule.cluster,
        "FIRST_LAYER": _braces(schedule.first_layer),
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
    return values


def _braces(numbers: tuple[int, ...] | list[int]) -> str:
    return "{" + ", ".join(map(str, numbers)) + "}"
