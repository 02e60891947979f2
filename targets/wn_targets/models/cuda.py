"""How fast the cuda engine generates on a GPU: the schedule it would take, by its own cost model.

    step = waves * max(chain of layers, weights / bandwidth, products) / clock

docs/cuda.md writes it out; the engine chooses its schedule by the same (`cuda.choose`).
"""

from __future__ import annotations

from wn_runtime.engines.cuda.choose import Choice, cheapest
from wn_runtime.engines.cuda.costs import Gpu as CudaGpu
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.work import Work
from wn_targets.devices.target import Gpu, Target
from wn_targets.models.cpu import PROCESS_MB, free_mb
from wn_targets.models.prediction import Prediction

CONTEXT_MB = 250.0
"""CUDA context and cuda-core."""
LAUNCH_MB = 2 * 134.0
"""The most that the arrays of a launch take: uniforms and samples, and conditioning."""


def cuda_gpu(target: Target, gpu: Gpu) -> CudaGpu:
    """A target's GPU, as the engine's cost model takes one."""
    return CudaGpu(
        compute_capability=gpu.compute_capability,
        multiprocessors=gpu.sms,
        shared_bytes=gpu.shared_bytes,
        l2_bytes=(gpu.l2_kib or 0) * 1024.0,  # not known: taken as none
        dram_bytes_per_cycle=(target.dram_gbps or 0) * 1e3 / gpu.clock_mhz,
    )


def cuda(target: Target, gpu: Gpu, spec: ModelSpec, precision: str, streams: int) -> Prediction:
    """The fused kernel, `streams` streams side by side."""
    choice = cheapest(spec, precision, streams, cuda_gpu(target, gpu))
    cost = choice.cost
    terms = {cost.limit: cost.cycles / gpu.clock_mhz}
    need = PROCESS_MB + CONTEXT_MB + (4 * Work.of(spec).macs + _device_bytes(choice, streams)) / 1e6
    available = target.memory_gb or 0
    free = free_mb(available) if target.family == "jetson" else available * 1000 * 0.9
    how = f"{choice.kind} {choice.schedule.source}"
    return Prediction("cuda", precision, terms, need, free, streams, how)


def _device_bytes(choice: Choice, streams: int) -> float:
    schedule = choice.schedule
    groups = -(-streams // schedule.streams)
    state = schedule.line_rows * schedule.line_bytes * groups
    return schedule.model_bytes + state + min(LAUNCH_MB * 1e6, 64e3 * streams)
