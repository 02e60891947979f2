"""How fast TensorRT generates on a GPU: kernels one after another, and weights through its caches.

    step = kernels * cycles / clock + max(bytes / bandwidth, MACs * streams / rate)

No GPU has been measured yet: every constant is an expectation, and docs/targets.md says from what.
"""

from __future__ import annotations

from wn_runtime.engines.tensorrt.costs import (
    L2_BYTES_PER_CYCLE,
    MACS_PER_CYCLE,
    launch_us,
)
from wn_runtime.model.work import WEIGHT_BYTES, Work
from wn_targets.devices.target import Gpu, Target
from wn_targets.models.cpu import free_mb
from wn_targets.models.prediction import Prediction

CONTEXT_MB = 600.0
"""CUDA context, TensorRT's library and its workspace."""


def tensorrt(target: Target, gpu: Gpu, work: Work, precision: str, streams: int) -> Prediction:
    """A plan of the step graph, replayed in CUDA graphs, `streams` streams side by side."""
    size = work.weight_bytes(precision)
    level, rate = "DRAM", (target.dram_gbps or 0) * 1e3  # B/us
    if gpu.l2_kib is not None and size <= gpu.l2_kib * 1024:
        level, rate = "L2", gpu.sms * L2_BYTES_PER_CYCLE * gpu.clock_mhz
    reading = size / rate
    products = work.macs * streams / (gpu.sms * MACS_PER_CYCLE[precision] * gpu.clock_mhz)
    first = {f"{level} bandwidth": reading} if reading >= products else {"arithmetic": products}
    terms = {**first, "launch overhead": launch_us(work, gpu.clock_mhz)}
    state = work.state * streams * WEIGHT_BYTES[precision]
    need = CONTEXT_MB + (2 * size + 2 * state) / 1e6  # plan and weights; two sets of buffers
    available = target.memory_gb or 0
    free = free_mb(available) if target.family == "jetson" else available * 1000 * 0.9
    return Prediction("tensorrt", precision, terms, need, free, streams)
