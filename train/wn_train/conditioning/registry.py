"""All conditioners, by their spec's kind. To add one: docs/add-a-conditioner.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.errors import WavestepError, unknown
from wn_train.conditioning.context_stack import ContextModule
from wn_train.conditioning.frames import LocalModule
from wn_train.conditioning.global_conditions import GlobalConditioner
from wn_train.conditioning.part import ConditionerModule
from wn_train.conditioning.stretched import StretchedModule

MODULES: dict[str, Callable[[Any, int, int], ConditionerModule]] = {
    "global": GlobalConditioner,
    "frames": LocalModule,
    "stretched": StretchedModule,
    "context_stack": ContextModule,
}
"""Kind to (spec, L, G) -> module."""


def module_of(spec: ConditionerSpec, layers: int, gate_channels: int) -> ConditionerModule:
    """The module of a spec. Raises WavestepError for a kind without one."""
    if spec.kind not in MODULES:
        raise WavestepError(unknown("conditioner", spec.kind, MODULES, "modules are there for"))
    return MODULES[spec.kind](spec, layers, gate_channels)
