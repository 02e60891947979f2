"""A bound on the time that a step may take: a graph far slower than its spec is not the spec's."""

from __future__ import annotations

import time
from collections.abc import Callable

from wn_runtime.engines.onnx.costs import step_cycles
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.work import Work

_TRIES = 5
_SLACK_S = 0.01
"""A busy machine's."""
_TIMES = 100.0
"""How much longer than predicted, at `_HZ`, it may take: half precision is emulated on CPUs."""
_HZ = 1e9


def check_pace(step: Callable[[], object], spec: ModelSpec, streams: int) -> None:
    """Raise WavestepError where `step`, of so many streams, takes far longer than the spec says.

    The fastest of a few tries counts, and one that is fast enough ends them.
    """
    limit = most_seconds(spec, streams)
    fastest = float("inf")
    for _ in range(_TRIES):
        started = time.perf_counter()
        step()
        fastest = min(fastest, time.perf_counter() - started)
        if fastest <= limit:
            return
    raise WavestepError(
        f"the step graph takes {1000 * fastest:.0f} ms a step, a model of this spec under "
        f"{1000 * limit:.0f} ms: it is another graph; export the model again"
    )


def most_seconds(spec: ModelSpec, streams: int, steps: int = 1) -> float:
    """What so many steps of so many streams may take at most."""
    return _SLACK_S + _TIMES * steps * streams * step_cycles(Work.of(spec)) / _HZ
