"""The engines' models, by engine. A new engine is a line here; one without is not predicted."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable

from wn_runtime.engines.cuda.choose import OLDEST_SM
from wn_runtime.engines.cuda.kind import CUDA
from wn_runtime.engines.memory import stream_bytes
from wn_runtime.engines.native import tune
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.engines.onnx.kind import ONNX
from wn_runtime.engines.tensorrt.kind import TENSORRT
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.work import Work
from wn_targets.devices.jetpack import JETPACKS
from wn_targets.devices.target import Cpu, Target
from wn_targets.models import cpu, cuda, gpu
from wn_targets.models.prediction import Prediction

OLDEST_PLAN_SM = 70
"""TensorRT 10.3 takes compute capability 7.0 and newer (later releases 7.5)."""

Model = Callable[[Target, ModelSpec, int, str | None], list[Prediction]]
"""(target, spec, streams, the engine's default precision) -> a prediction for each precision that
runs there, none where the engine does not."""


def runs_plans(target: Target) -> bool:
    """Whether a TensorRT of 10.3 or newer exists for the target's GPU."""
    if target.gpu is None:
        return False
    if target.family == "jetson":
        return any(JETPACKS[version].runs_plans for version in target.jetpacks)
    return target.gpu.sm >= OLDEST_PLAN_SM


def runs_cuda(target: Target) -> bool:
    """Whether the cuda engine runs on the target's GPU."""
    if target.gpu is None or target.gpu.sm < OLDEST_SM:
        return False
    if target.family == "jetson":
        return any(JETPACKS[version].runs_cubins for version in target.jetpacks)
    return True


def _native(target: Target, spec: ModelSpec, streams: int, default: str | None) -> list[Prediction]:
    """The default precision, and fp32 beside it; one stream by as many threads as are worth it."""
    if target.cpu is None:
        return []
    chosen = sorted({"fp32", default or NATIVE.precisions[0]})
    work, found = Work.of(spec), []
    for precision in chosen:
        most = tune.most_threads(work, precision, target.cpu.cores) if streams == 1 else 1
        threads = {n: cpu.native(target.cpu, work, precision, n) for n in range(1, most + 1)}
        found.append(threads[tune.worth({n: each.us_per_step for n, each in threads.items()})])
    return _in_turns(found, target, target.cpu, spec, streams)


def _onnx(target: Target, spec: ModelSpec, streams: int, _default: str | None) -> list[Prediction]:
    if target.cpu is None:
        return []
    return _in_turns([cpu.onnx(target.cpu, Work.of(spec))], target, target.cpu, spec, streams)


def _tensorrt(
    target: Target, spec: ModelSpec, streams: int, _default: str | None
) -> list[Prediction]:
    if target.gpu is None or not runs_plans(target):
        return []
    offered = [each for each in TENSORRT.precisions if each in target.gpu.precisions]
    return [gpu.tensorrt(target, target.gpu, Work.of(spec), offered[0], streams)]


def _cuda(target: Target, spec: ModelSpec, streams: int, default: str | None) -> list[Prediction]:
    """The default precision, and fp32 beside it; none of a model too wide for a thread block."""
    if target.gpu is None or not runs_cuda(target) or spec.output.source(".cuh") is None:
        return []
    found = []
    for precision in sorted({"fp32", default or CUDA.precisions[0]}):
        with contextlib.suppress(EngineUnavailable):
            found.append(cuda.cuda(target, target.gpu, spec, precision, streams))
    return found


def _in_turns(
    found: list[Prediction], target: Target, processor: Cpu, spec: ModelSpec, streams: int
) -> list[Prediction]:
    """Streams are spread over the cores, those of one core take turns; each has its memory."""
    share = math.ceil(streams / processor.cores)
    of_streams = streams * stream_bytes(spec) / 1e6
    known = target.memory_gb is not None and target.family != "gpu"  # whose memory is no host's
    free = cpu.free_mb(target.memory_gb or 0) if known else math.inf
    return [
        dataclasses.replace(
            one,
            terms={name: us * share for name, us in one.terms.items()},
            memory_mb=one.memory_mb + of_streams,
            free_mb=free,
            streams=streams,
        )
        for one in found
    ]


MODELS: dict[str, Model] = {
    NATIVE.name: _native,
    CUDA.name: _cuda,
    ONNX.name: _onnx,
    TENSORRT.name: _tensorrt,
}
ON_GPU = frozenset(kind.name for kind in (NATIVE, CUDA, ONNX, TENSORRT) if kind.on_gpu)
"""Those of them that compute on a GPU."""
