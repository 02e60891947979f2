"""ONNX Runtime inside the device loop, the cross-check of TensorRT's, as an engine of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wn_runtime.engines.kind import EngineKind, Request
from wn_runtime.engines.tensorrt.costs import ORDINARY_GPU, SLOWER_THAN_PLANS, step_us

if TYPE_CHECKING:  # wn-doctor reads the kinds where NumPy cannot be imported
    from wn_runtime.engines.engine import Engine
    from wn_runtime.model.work import Work


def _expected_us(work: Work, precision: str, batch: int, _threads: int) -> float:
    return SLOWER_THAN_PLANS * step_us(work, precision, batch, ORDINARY_GPU)


def _open(request: Request) -> Engine:
    from wn_runtime.engines.device_loop.onnx_open import open_engine

    return open_engine(request)


ONNX_CUDA_LOOP = EngineKind(
    name="onnx-cuda-loop",
    precisions=("fp16", "fp32"),
    artifact="onnx",
    needs=("NumPy", "ONNX Runtime", "NVIDIA driver", "NVRTC", "CUDA provider"),
    on_gpu=True,
    expected_us=_expected_us,
    open=_open,
    automatic=False,
)
