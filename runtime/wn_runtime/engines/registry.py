"""All kinds of engines. To add one: docs/add-an-engine.md."""

from __future__ import annotations

from wn_runtime.engines.cuda.kind import CUDA
from wn_runtime.engines.device_loop.kind import ONNX_CUDA_LOOP
from wn_runtime.engines.generator.kind import GENERATOR
from wn_runtime.engines.kind import EngineKind
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.engines.onnx.kind import ONNX, ONNX_CUDA
from wn_runtime.engines.tensorrt.kind import TENSORRT
from wn_runtime.errors import WavestepError, unknown

ENGINES: dict[str, EngineKind] = {
    kind.name: kind for kind in (NATIVE, CUDA, TENSORRT, ONNX, ONNX_CUDA, ONNX_CUDA_LOOP, GENERATOR)
}
"""Every engine that `--engine` can name."""


def find(name: str) -> EngineKind:
    """The kind called `name`. Raises WavestepError, with the nearest name, where there is none."""
    if name not in ENGINES:
        raise WavestepError(unknown("engine", name, ENGINES, "the engines are"))
    return ENGINES[name]
