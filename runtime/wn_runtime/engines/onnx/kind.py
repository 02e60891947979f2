"""ONNX Runtime's engines as the rest of the product knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wn_runtime.engines.kind import EngineKind, Request
from wn_runtime.engines.native.costs import ORDINARY
from wn_runtime.engines.onnx.costs import overhead_cycles, step_cycles
from wn_runtime.engines.tensorrt.costs import ORDINARY_GPU, SLOWER_THAN_PLANS, step_us

if TYPE_CHECKING:  # wn-doctor reads the kinds where NumPy cannot be imported
    from wn_runtime.engines.engine import Engine
    from wn_runtime.model.work import Work


def _expected_us(work: Work, precision: str, batch: int, _threads: int) -> float:
    """float16 is widened for every product on a CPU."""
    wide = 1.0 if precision == "fp32" else 2.0
    return wide * (step_cycles(work) + (batch - 1) * overhead_cycles(work) / 2) / ORDINARY.mhz


def _expected_us_cuda(work: Work, precision: str, batch: int, _threads: int) -> float:
    return SLOWER_THAN_PLANS * step_us(work, precision, batch, ORDINARY_GPU)


def _open(request: Request) -> Engine:
    from wn_runtime.engines.onnx.open import open_engine

    return open_engine(request)


ONNX = EngineKind(
    name="onnx",
    precisions=("fp32", "fp16"),
    artifact="onnx",
    needs=("NumPy", "ONNX Runtime", "CPU provider"),
    on_gpu=False,
    expected_us=_expected_us,
    open=_open,
)
ONNX_CUDA = EngineKind(
    name="onnx-cuda",
    precisions=("fp32", "fp16"),
    artifact="onnx",
    needs=("NumPy", "ONNX Runtime", "NVIDIA driver", "CUDA provider"),
    on_gpu=True,
    expected_us=_expected_us_cuda,
    open=_open,
    automatic=False,
)
