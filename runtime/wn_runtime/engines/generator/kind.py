"""The generator graph's engine as the rest of the product knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wn_runtime.engines.kind import EngineKind, Request
from wn_runtime.engines.native.costs import ORDINARY
from wn_runtime.engines.onnx.costs import overhead_cycles, step_cycles

if TYPE_CHECKING:  # wn-doctor reads the kinds where NumPy cannot be imported
    from wn_runtime.engines.engine import Engine
    from wn_runtime.model.work import Work


def _expected_us(work: Work, _precision: str, batch: int, _threads: int) -> float:
    """As the step graph: what it saves of calls it spends on the draw."""
    return (step_cycles(work) + (batch - 1) * overhead_cycles(work) / 2) / ORDINARY.mhz


def _open(request: Request) -> Engine:
    from wn_runtime.engines.generator.open import open_engine

    return open_engine(request)


GENERATOR = EngineKind(
    name="generator",
    precisions=("fp32",),
    artifact="generator",
    needs=("NumPy", "ONNX Runtime", "CPU provider"),
    on_gpu=False,
    expected_us=_expected_us,
    open=_open,
    automatic=False,
)
"""Made for hosts without wavestep; here the step graph does the same, so it is taken by name."""
