"""Graphics cards and data-centre GPUs, one or two for each compute capability."""

from __future__ import annotations

from wn_targets.devices import sources
from wn_targets.devices.target import Gpu, Sources, Target

_INT8 = ("fp32", "fp16", "int8")
_FP8 = (*_INT8, "fp8")
_FP4 = (*_FP8, "fp4")


def _memory(source: str) -> Sources:
    """One source for both of a card's figures of memory."""
    return {"memory_gb": source, "dram_gbps": source}


GPUS = (
    Target(
        name="v100",
        title="Tesla V100 16GB",
        family="gpu",
        memory_gb=16,
        dram_gbps=900,
        gpu=Gpu(
            architecture="Volta",
            compute_capability="7.0",
            sms=80,
            clock_mhz=1530,
            l2_kib=6144,
            precisions=_INT8,
            sources={
                "compute_capability": sources.GPU_TABLE,
                "clock_mhz": sources.GPU_TABLE,
                "l2_kib": sources.GPU_TABLE,
            },
        ),
        note="the last TensorRT for Volta is an early 10.x (deprecated in 10.0)",
        sources={"dram_gbps": sources.GPU_TABLE},
    ),
    Target(
        name="t4",
        title="T4",
        family="gpu",
        memory_gb=16,
        dram_gbps=320,
        gpu=Gpu(
            architecture="Turing",
            compute_capability="7.5",
            sms=40,
            clock_mhz=1590,
            l2_kib=4096,
            precisions=_INT8,
        ),
    ),
    Target(
        name="a100",
        title="A100 SXM 80GB",
        family="gpu",
        memory_gb=80,
        dram_gbps=2039,
        gpu=Gpu(
            architecture="Ampere",
            compute_capability="8.0",
            sms=108,
            clock_mhz=1410,
            l2_kib=40960,
            precisions=_INT8,
            sources={
                "compute_capability": sources.GPU_TABLE,
                "l2_kib": sources.GPU_TABLE,
                "clock_mhz": sources.H100_TEST,
            },
        ),
        sources=_memory(sources.HOPPER_SHEET),
    ),
    Target(
        name="a10",
        title="A10",
        family="gpu",
        memory_gb=24,
        dram_gbps=600,
        gpu=Gpu(
            architecture="Ampere",
            compute_capability="8.6",
            sms=72,
            clock_mhz=1695,
            l2_kib=6144,
            precisions=_INT8,
        ),
    ),
    Target(
        name="rtx-3090",
        title="GeForce RTX 3090",
        family="gpu",
        memory_gb=24,
        dram_gbps=936,
        gpu=Gpu(
            architecture="Ampere",
            compute_capability="8.6",
            sms=82,
            clock_mhz=1695,
            l2_kib=6144,
            precisions=_INT8,
            sources={
                "compute_capability": sources.RTX_MATRIX,
                "l2_kib": sources.RTX_L2_TABLE,
            },
        ),
    ),
    Target(
        name="l4",
        title="L4",
        family="gpu",
        memory_gb=24,
        dram_gbps=300,
        gpu=Gpu(
            architecture="Ada",
            compute_capability="8.9",
            sms=58,
            clock_mhz=2040,
            l2_kib=49152,
            precisions=_FP8,
        ),
        sources=_memory(sources.L4_TABLE),
    ),
    Target(
        name="rtx-4090",
        title="GeForce RTX 4090",
        family="gpu",
        memory_gb=24,
        dram_gbps=1008,
        gpu=Gpu(
            architecture="Ada",
            compute_capability="8.9",
            sms=128,
            clock_mhz=2520,
            l2_kib=73728,
            precisions=_FP8,
            sources={
                "compute_capability": sources.RTX_MATRIX,
                "precisions": sources.RTX_MATRIX,
                "sms": sources.RTX_L2_TABLE,
                "l2_kib": sources.RTX_L2_TABLE,
                "clock_mhz": sources.RTX_4090_TABLE,
            },
        ),
        sources=_memory(sources.RTX_4090_TABLE),
    ),
    Target(
        name="h100",
        title="H100 SXM",
        family="gpu",
        memory_gb=80,
        dram_gbps=3350,
        gpu=Gpu(
            architecture="Hopper",
            compute_capability="9.0",
            sms=132,
            clock_mhz=1755,
            l2_kib=51200,
            precisions=_FP8,
            sources={
                "compute_capability": sources.GPU_TABLE,
                "clock_mhz": sources.GPU_TABLE,
                "l2_kib": sources.GPU_TABLE,
                "sms": sources.H100_TEST,
            },
        ),
        sources=_memory(sources.HOPPER_SHEET),
    ),
    Target(
        name="h200",
        title="H200 SXM",
        family="gpu",
        memory_gb=141,
        dram_gbps=4800,
        gpu=Gpu(
            architecture="Hopper",
            compute_capability="9.0",
            sms=132,
            clock_mhz=1980,
            l2_kib=51200,
            precisions=_FP8,
            sources={"compute_capability": sources.GPU_TABLE, "clock_mhz": sources.H200_RUN},
        ),
        sources=_memory(sources.HOPPER_SHEET),
    ),
    Target(
        name="b200",
        title="B200",
        family="gpu",
        memory_gb=180,
        dram_gbps=8000,
        gpu=Gpu(
            architecture="Blackwell",
            compute_capability="10.0",
            sms=148,
            clock_mhz=1965,
            l2_kib=129024,
            precisions=_FP4,
        ),
        sources=_memory(sources.HOPPER_SHEET),
    ),
    Target(
        name="rtx-5090",
        title="GeForce RTX 5090",
        family="gpu",
        memory_gb=32,
        dram_gbps=1792,
        gpu=Gpu(
            architecture="Blackwell",
            compute_capability="12.0",
            sms=170,
            clock_mhz=2407,
            l2_kib=98304,
            precisions=_FP4,
            sources={
                "compute_capability": sources.RTX_MATRIX,
                "precisions": sources.RTX_MATRIX,
                "sms": sources.RTX_5090_REVIEW,
                "clock_mhz": sources.RTX_5090_REVIEW,
                "l2_kib": sources.RTX_5090_REVIEW,
            },
        ),
        sources=_memory(sources.RTX_5090_REVIEW),
    ),
)
