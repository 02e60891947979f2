"""All known devices. To add one: a `Target(…)` in jetson.py, gpu.py or cpu.py."""

from __future__ import annotations

from wn_runtime.errors import WavestepError, unknown
from wn_targets.devices.cpu import CPUS
from wn_targets.devices.gpu import GPUS
from wn_targets.devices.jetson import JETSONS
from wn_targets.devices.target import Target

TARGETS: dict[str, Target] = {target.name: target for target in (*JETSONS, *GPUS, *CPUS)}


def find(name: str, *others: str) -> Target:
    """The target called `name`. Raises WavestepError with the nearest name when there is none.

    others: names that are taken where this one is asked for, and are no targets.
    """
    if name not in TARGETS:
        raise WavestepError(unknown("target", name, [*others, *TARGETS]))
    return TARGETS[name]
