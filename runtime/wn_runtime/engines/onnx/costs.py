"""What a step of the graph costs in ONNX Runtime beside its products, fitted on one machine.

Printed by `python -m bench.targets.prediction_error`; docs/targets.md has the fit and its error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wn_runtime.engines.native.costs import COSTS, ORDINARY

if TYPE_CHECKING:  # wn-doctor reads the kinds where NumPy cannot be imported
    from wn_runtime.model.work import Work

CALL_CYCLES = 19_000.0
"""Cycles of one call with bound buffers, the runtime's own loop around it."""
LAYER_CYCLES = 11_000.0
"""Cycles of one layer's nodes, apart from reading weights."""
GATE_CYCLES = 58.0
"""Cycles more for each gate channel."""


def overhead_cycles(work: Work) -> float:
    """Cycles of a step apart from its products."""
    return CALL_CYCLES + work.layers * (LAYER_CYCLES + GATE_CYCLES * work.gate)


def step_cycles(work: Work) -> float:
    """Cycles of one stream's step on an ordinary CPU, float32."""
    return overhead_cycles(work) + work.macs * COSTS[ORDINARY.isa]["fp32"].product / ORDINARY.ipc
