"""How fast TensorRT generates on a GPU: kernels one after another, and weights through its caches.

    step = kernels * cycles / clock + max(bytes / bandwidth, MACs * streams / rate)

No GPU has been measured yet: every constant is an expectation, and docs/targets.md says from what.
"""

from __future__ import annotations

from wn_targets.devices.target import Gpu, Target
from wn_targets.models.cpu import free_mb
from wn_targets.models.prediction import Prediction
from wn_targets.models.work import WEIGHT_BYTES, Work

KERNELS_PER_LAYER = 4
"""Gate, residual and skip product and the activation; sums fuse into the products."""
KERNELS_PER_STEP = 8
"""Delay lines and sampling (ours), taps, skip product, two head products, activations."""
KERNEL_CYCLES = 3000.0
"""GPU cycles from one small kernel's start to its dependent's, in a replayed CUDA graph."""
L2_BYTES_PER_CYCLE = 32.0
"""Bytes per cycle and SM from the second-level cache."""
MACS_PER_CYCLE = {"fp32": 64.0, "fp16": 128.0, "int8": 256.0}
"""Multiply-adds per cycle and SM without matrix units: batches are too small to fill those."""
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
    kernels = work.layers * KERNELS_PER_LAYER + KERNELS_PER_STEP
    first = {f"{level} bandwidth": reading} if reading >= products else {"arithmetic": products}
    terms = {**first, "launch overhead": kernels * KERNEL_CYCLES / gpu.clock_mhz}
    state = work.state * streams * WEIGHT_BYTES[precision]
    need = CONTEXT_MB + (2 * size + 2 * state) / 1e6  # plan and weights; two sets of buffers
    available = target.memory_gb or 0
    free = free_mb(available) if target.family == "jetson" else available * 1000 * 0.9
    return Prediction("tensorrt", precision, terms, need, need <= free, streams)
