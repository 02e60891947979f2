"""The CUDA engine as the rest of the product knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wn_runtime.engines.cuda.costs import COLUMNS, COLUMNS_A_STREAM, Gpu, Kernel, cost
from wn_runtime.engines.cuda.present import gpu_present
from wn_runtime.engines.kind import EngineKind, Request
from wn_runtime.engines.native.costs import ON_ARM

if TYPE_CHECKING:  # wn-doctor reads the kinds where NumPy cannot be imported
    from wn_runtime.engines.engine import Engine
    from wn_runtime.model.work import Work

PRECISIONS = ("int8", "fp16", "fp32")
"""Of the weights, fastest first; activations are int16, float16 with float32 sums, float32."""


@dataclass(frozen=True)
class OrdinaryGpu:
    """What is assumed of a GPU where nothing was measured."""

    gpu: Gpu
    mhz: float


ORIN_NANO = OrdinaryGpu(Gpu("8.7", 8, 163 * 1024, 2 * 2**20, 100.0), 1020.0)
CARD = OrdinaryGpu(Gpu("8.6", 30, 99 * 1024, 3 * 2**20), 1500.0)
ORDINARY = ORIN_NANO if ON_ARM else CARD
"""Of an Arm machine the least of what it may be."""


def _expected_us(work: Work, precision: str, batch: int, _threads: int) -> float:
    """By blocks that read their weights, of as many streams as fill a tile or four."""
    fills = COLUMNS // COLUMNS_A_STREAM[precision]
    size = work.weight_bytes(precision)
    return min(
        cost(
            Kernel(precision, source, streams, 1, work.layers, size, work.macs), batch, ORDINARY.gpu
        ).cycles
        / ORDINARY.mhz
        for streams, source in ((1, "ring"), (fills, "direct"), (4 * fills, "direct"))
    )


def _open(request: Request) -> Engine:
    from wn_runtime.engines.cuda.open import open_engine

    return open_engine(request)


CUDA = EngineKind(
    name="cuda",
    precisions=PRECISIONS,
    artifact=None,
    needs=("NumPy", "NVIDIA driver", "NVRTC"),
    on_gpu=True,
    expected_us=_expected_us,
    open=_open,
    present=gpu_present,
    artifact_is_code=True,
    advice="without NVRTC the cuda engine runs only from a cubin that `wn-export --target` "
    "compiled ahead of time into the model directory, by the driver and cuda-core alone",
)
