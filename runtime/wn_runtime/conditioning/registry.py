"""All conditioners. To add one: docs/add-a-conditioner.md."""

from __future__ import annotations

from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.conditioning.stretched import StretchedFrames

CONDITIONERS: dict[str, type[ConditionerSpec]] = {
    conditioner.kind: conditioner
    for conditioner in (GlobalConditions, LocalFrames, StretchedFrames, ContextStack)
}
