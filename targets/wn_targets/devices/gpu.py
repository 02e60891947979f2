"""Graphics cards and data-centre GPUs, one or two for each compute capability."""

from __future__ import annotations

from wn_targets.devices import sources
from wn_targets.devices.target import Gpu, Sources, Target

_INT8 = ("fp32", "fp16", "int8")
_FP8 = (*_INT8, "fp8")
_FP4 = (*_FP8, "fp4")


def _card(
    name: str, title: str, memory_gb: float, dram_gbps: float, gpu: Gpu,
    found: Sources | None = None, note: str = "",
) -> Target:  # fmt: skip
    return Target(name, title, "gpu", memory_gb, dram_gbps, gpu=gpu, note=note, sources=found or {})


def _all(source: str, *names: str) -> Sources:
    return dict.fromkeys(names, source)


_MEMORY = ("memory_gb", "dram_gbps")

GPUS = (
    _card(
        "v100", "Tesla V100 16GB", 16, 900,
        Gpu("Volta", "7.0", 80, 1530, 6144, _INT8,
            _all(sources.GPU_TABLE, "compute_capability", "clock_mhz", "l2_kib")),
        _all(sources.GPU_TABLE, "dram_gbps"),
        "the last TensorRT for Volta is an early 10.x (deprecated in 10.0)",
    ),
    _card("t4", "T4", 16, 320, Gpu("Turing", "7.5", 40, 1590, 4096, _INT8)),
    _card(
        "a100", "A100 SXM 80GB", 80, 2039,
        Gpu("Ampere", "8.0", 108, 1410, 40960, _INT8,
            {**_all(sources.GPU_TABLE, "compute_capability", "l2_kib"),
             **_all(sources.H100_TEST, "clock_mhz")}),
        _all(sources.HOPPER_SHEET, *_MEMORY),
    ),
    _card("a10", "A10", 24, 600, Gpu("Ampere", "8.6", 72, 1695, 6144, _INT8)),
    _card(
        "rtx-3090", "GeForce RTX 3090", 24, 936,
        Gpu("Ampere", "8.6", 82, 1695, 6144, _INT8,
            {**_all(sources.RTX_MATRIX, "compute_capability"),
             **_all(sources.RTX_L2_TABLE, "l2_kib")}),
    ),
    _card(
        "l4", "L4", 24, 300, Gpu("Ada", "8.9", 58, 2040, 49152, _FP8),
        _all(sources.L4_TABLE, *_MEMORY),
    ),
    _card(
        "rtx-4090", "GeForce RTX 4090", 24, 1008,
        Gpu("Ada", "8.9", 128, 2520, 73728, _FP8,
            {**_all(sources.RTX_MATRIX, "compute_capability", "precisions"),
             **_all(sources.RTX_L2_TABLE, "sms", "l2_kib"),
             **_all(sources.RTX_4090_TABLE, "clock_mhz")}),
        _all(sources.RTX_4090_TABLE, *_MEMORY),
    ),
    _card(
        "h100", "H100 SXM", 80, 3350,
        Gpu("Hopper", "9.0", 132, 1755, 51200, _FP8,
            {**_all(sources.GPU_TABLE, "compute_capability", "clock_mhz", "l2_kib"),
             **_all(sources.H100_TEST, "sms")}),
        _all(sources.HOPPER_SHEET, *_MEMORY),
    ),
    _card(
        "h200", "H200 SXM", 141, 4800,
        Gpu("Hopper", "9.0", 132, 1755, 51200, _FP8,
            _all(sources.GPU_TABLE, "compute_capability")),
        _all(sources.HOPPER_SHEET, *_MEMORY),
    ),
    _card(
        "b200", "B200", 180, 8000, Gpu("Blackwell", "10.0", 148, 1965, 129024, _FP4),
        _all(sources.HOPPER_SHEET, *_MEMORY),
    ),
    _card(
        "rtx-5090", "GeForce RTX 5090", 32, 1792,
        Gpu("Blackwell", "12.0", 170, 2407, 98304, _FP4,
            {**_all(sources.RTX_MATRIX, "compute_capability", "precisions"),
             **_all(sources.RTX_5090_REVIEW, "sms", "clock_mhz", "l2_kib")}),
        _all(sources.RTX_5090_REVIEW, *_MEMORY),
    ),
)  # fmt: skip
