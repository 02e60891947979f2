"""All conditioners, by their spec's kind. To add one: docs/add-a-conditioner.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wn_export.graphs.conditioning import (
    context_stack,
    frames,
    global_conditions,
    stretched,
)
from wn_export.graphs.conditioning.part import GraphPart

PARTS: dict[str, Callable[[GraphPart, Any], str]] = {
    "global": global_conditions.add,
    "frames": frames.add,
    "stretched": stretched.add,
    "context_stack": context_stack.add,
}
"""Kind to (part, spec) -> the node of its bias, [N, L, B, G] with N a divisor of the block."""
