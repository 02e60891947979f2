"""What a step costs as a replayed plan: a chain of small kernels, and weights through the caches.

Unmeasured: docs/targets.md says where each constant is from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # wn-doctor reads the kinds where NumPy cannot be imported
    from wn_runtime.model.work import Work


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
SLOWER_THAN_PLANS = 3.0
"""ONNX Runtime's CUDA provider launches what a plan replays: how much slower it is taken to be."""


@dataclass(frozen=True)
class OrdinaryGpu:
    """What is assumed of a GPU where nothing was measured."""

    sms: int = 30
    mhz: float = 1500


ORDINARY_GPU = OrdinaryGpu()


def launch_us(work: Work, mhz: float) -> float:
    """Microseconds of a step's kernels, one after another."""
    return (work.layers * KERNELS_PER_LAYER + KERNELS_PER_STEP) * KERNEL_CYCLES / mhz


def step_us(work: Work, precision: str, batch: int, gpu: OrdinaryGpu) -> float:
    """Microseconds of a step of `batch` streams on an ordinary GPU, weights in its L2."""
    reading = work.weight_bytes(precision) / (gpu.sms * L2_BYTES_PER_CYCLE * gpu.mhz)
    products = work.macs * batch / (gpu.sms * MACS_PER_CYCLE[precision] * gpu.mhz)
    return max(reading, products) + launch_us(work, gpu.mhz)
