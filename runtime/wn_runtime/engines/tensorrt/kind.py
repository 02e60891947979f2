"""The TensorRT engine as the rest of the product knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wn_runtime.engines.kind import EngineKind, Request
from wn_runtime.engines.tensorrt.costs import ORDINARY_GPU, step_us

if TYPE_CHECKING:  # wn-doctor reads the kinds where NumPy cannot be imported
    from wn_runtime.engines.engine import Engine
    from wn_runtime.model.work import Work


def _expected_us(work: Work, precision: str, batch: int, _threads: int) -> float:
    return step_us(work, precision, batch, ORDINARY_GPU)


def _open(request: Request) -> Engine:
    from wn_runtime.engines.tensorrt.open import open_engine

    return open_engine(request)


TENSORRT = EngineKind(
    name="tensorrt",
    precisions=("fp16", "fp32"),
    artifact="tensorrt",
    needs=("NumPy", "NVIDIA driver", "NVRTC", "TensorRT"),
    on_gpu=True,
    expected_us=_expected_us,
    open=_open,
    artifact_is_code=True,
)
