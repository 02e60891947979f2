"""The native engine as the rest of the product knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wn_runtime.engines.kind import EngineKind, Request
from wn_runtime.engines.native.costs import ORDINARY, step_cycles

if TYPE_CHECKING:  # wn-doctor reads the kinds where NumPy cannot be imported
    from wn_runtime.engines.engine import Engine
    from wn_runtime.model.work import Work

PRECISIONS = ("int8", "bf16", "fp32")
"""Of the weights, fastest first; activations are float32, with int8 weights int16."""

MOST_OWN_THREADS = 4
"""That are tried for one stream (tune.py): more would find little left to take."""


def _expected_us(work: Work, precision: str, batch: int, threads: int) -> float:
    """Streams share the reading of weights, threads share the streams."""
    share = -(-batch // min(threads, batch))
    return step_cycles(work, precision) * (1 + 0.5 * (share - 1)) / ORDINARY.mhz


def _open(request: Request) -> Engine:
    from wn_runtime.engines.native.open import open_engine

    return open_engine(request)


NATIVE = EngineKind(
    name="native",
    precisions=PRECISIONS,
    artifact=None,
    needs=("NumPy", "C compiler"),
    on_gpu=False,
    expected_us=_expected_us,
    open=_open,
    most_own_threads=MOST_OWN_THREADS,
    artifact_is_code=True,
    advice="without a C compiler the native engine runs only from a library that "
    "`wn-export --target` compiled ahead of time into the model directory",
)
