"""What the native engine's code costs, by instruction set and precision, apart from memory.

Printed by `python -m bench.native.cost x86` (cycles: µs times MHz; AVX-512 on the reference
machine, 3750 MHz, AVX2 and SSE on a Zen 3, 3240 MHz) and by `… arm`, `… armv7`, `… rv64`
(instructions, counted exactly under qemu).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wn_runtime.system.here import machine

if TYPE_CHECKING:  # wn-doctor reads the kinds where NumPy cannot be imported
    from wn_runtime.model.work import Work


@dataclass(frozen=True)
class Cost:
    """Cycles on x86-64, instructions on Arm and RISC-V."""

    product: float
    """For each multiply-add."""
    gate: float
    """For each gate channel of each layer: quantise, reduce, activate."""
    sample: float
    """For each sample: a softmax over 256 classes, and the draw."""


@dataclass(frozen=True)
class OrdinaryCpu:
    """What is assumed of a CPU where nothing was measured."""

    isa: str = "avx2"
    mhz: float = 3000
    bytes_per_cycle: float = 16
    ipc: float = 1.0
    """Instructions a cycle where costs are instructions."""


ON_ARM = machine() == "aarch64"
ORDINARY = OrdinaryCpu("neon-dot", 1700, 24, 3.0) if ON_ARM else OrdinaryCpu()
"""On 64-bit Arm a Cortex-A78AE, of every Jetson Orin, as wn_targets has it."""


COSTS: dict[str, dict[str, Cost]] = {
    "avx512": {
        "fp32": Cost(0.0558, 0, 1065),
        "bf16": Cost(0.0634, 3.1, 840),
        "int8": Cost(0.0195, 2.73, 1592),
    },
    "avx2": {
        "fp32": Cost(0.130, 0, 1243),
        "bf16": Cost(0.112, 0, 1346),
        "int8": Cost(0.0576, 0.219, 3135),
    },
    "sse": {
        "fp32": Cost(0.222, 9.2, 720),
        "bf16": Cost(0.300, 0, 1697),
        "int8": Cost(0.124, 4.5, 4290),
    },
    "neon-dot": {
        "fp32": Cost(0.493, 8.45, 2866),
        "bf16": Cost(0.688, 17, 486),
        "int8": Cost(0.274, 12.4, 4907),
    },
    "neon-i8mm": {  # the code of neon-dot but in int8
        "fp32": Cost(0.493, 8.45, 2866),
        "bf16": Cost(0.688, 17, 486),
        "int8": Cost(0.164, 10, 5259),
    },
    "neon": {
        "fp32": Cost(0.493, 8.45, 2866),
        "bf16": Cost(0.713, 10.4, 1211),
        "int8": Cost(0.507, 6.72, 5288),
    },
    "armv7": {
        "fp32": Cost(0.642, 18.4, 4283),
        "bf16": Cost(0.911, 5.08, 6638),
        "int8": Cost(1.016, 12.7, 8638),
    },
    "rv64": {
        "fp32": Cost(2.96, 14.4, 22570),
        "bf16": Cost(8.97, 0, 20520),
        "int8": Cost(10.2, 0, 16310),
    },
}


def step_cycles(work: Work, precision: str, cpu: OrdinaryCpu = ORDINARY) -> float:
    """Cycles of one stream's step on an ordinary CPU; wn_targets has the model of a given one."""
    cost = COSTS[cpu.isa][precision]
    products = work.products(precision) * cost.product / cpu.ipc
    busy = max(products, work.weight_bytes(precision) / cpu.bytes_per_cycle)
    return busy + (work.layers * work.gate * cost.gate + cost.sample * work.params / 256) / cpu.ipc
