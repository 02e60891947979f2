"""How fast a CPU generates: weights through the caches, products, and the dependent chain.

    step = max(bytes / bandwidth(bytes), MACs / rate) + layers * layer_latency + latency

docs/targets.md derives it, says where each constant is from, and gives its error.
"""

from __future__ import annotations

import itertools
import math

from wn_targets.prediction import Prediction
from wn_targets.target import Cpu
from wn_targets.work import Work

MACS_PER_CYCLE: dict[str, dict[str, float]] = {
    "avx512": {"fp32": 32, "bf16": 16, "int8": 64},
    "avx2": {"fp32": 16, "bf16": 8, "int8": 16},
    "sse": {"fp32": 4, "bf16": 3, "int8": 2},
    "neon-dot": {"fp32": 8, "bf16": 4, "int8": 16},
    "neon": {"fp32": 4, "bf16": 2, "int8": 2},
}
"""Peak multiply-adds per cycle by vector code, of the instructions that the native engine uses."""

EFFICIENCY = 0.9
"""Share of the peak that products of these sizes reach; the rest is loads and reductions."""

LAYER_CYCLES = {"fp32": 10.0, "bf16": 10.0, "int8": 50.0}
"""Cycles of a layer that nothing overlaps: quantise, reduce, activate."""
GATE_CYCLES = {"fp32": 1.0, "bf16": 1.0, "int8": 2.5}
"""Cycles more for each gate channel, at 16 lanes to a vector."""
SAMPLE_CYCLES = 650.0
"""Cycles of the softmax and the draw over 256 classes, at 16 lanes."""
LANES = {"avx512": 16, "avx2": 8, "sse": 4, "neon-dot": 4, "neon": 4}
"""Floats in a vector: what is elementwise takes longer with fewer."""

ONNX_CALL_CYCLES = 13_000.0
"""Cycles of one call of ONNX Runtime with bound buffers, the runtime's own loop around it."""
ONNX_LAYER_CYCLES = 7_500.0
"""Cycles of one layer's nodes in ONNX Runtime, apart from reading weights."""
ONNX_GATE_CYCLES = 40.0
"""Cycles more for each gate channel."""

HOLDS, SPILLS = 0.5, 1.75
"""A cache keeps its rate up to the first share of its size, and has lost it at the second."""

PROCESS_MB = 60.0
"""Python, NumPy and the engine's library in memory."""
ONNX_MB = 60.0
"""ONNX Runtime on top of that."""


def bandwidth(cpu: Cpu, size: float) -> tuple[float, str]:
    """Bytes per microsecond that one core reads `size` bytes with, again and again, and whence.

    A cache holds its rate up to half its size, then falls to the next level's, straight on
    log-log axes.
    """
    l2 = cpu.l2_bytes_per_cycle * cpu.clock_mhz  # B/us
    levels = [("L2", cpu.l2_kib * 1024.0, l2)]
    if cpu.l3_kib:
        levels.append(("L3", cpu.l3_kib * 1024.0, cpu.l3_gbps * 1e3))
    levels.append(("DRAM", math.inf, cpu.core_dram_gbps * 1e3))
    for (name, capacity, rate), (below, _, slower) in itertools.pairwise(levels):
        if size <= capacity * HOLDS:
            return rate, name
        if size < capacity * SPILLS:
            part = math.log(size / (capacity * HOLDS)) / math.log(SPILLS / HOLDS)
            return rate ** (1 - part) * slower**part, name if part < 0.5 else below
    return levels[-1][2], "DRAM"


def native(cpu: Cpu, work: Work, precision: str, memory_gb: float | None) -> Prediction:
    """The native engine with one stream on one core."""
    size = work.weight_bytes(precision)
    rate, level = bandwidth(cpu, size)
    reading = size / rate
    products = work.macs / (MACS_PER_CYCLE[cpu.isa][precision] * EFFICIENCY * cpu.clock_mhz)
    slower = 16 / LANES[cpu.isa]
    elementwise = GATE_CYCLES[precision] * work.gate * slower
    chain = work.layers * (LAYER_CYCLES[precision] + elementwise)
    sampling = SAMPLE_CYCLES * work.classes / 256 * slower
    first = {f"{level} bandwidth": reading} if reading >= products else {"arithmetic": products}
    terms = {**first, "latency": (chain + sampling) / cpu.clock_mhz}
    return _on_cpu("native", precision, terms, work, memory_gb, PROCESS_MB)


def onnx(cpu: Cpu, work: Work, memory_gb: float | None) -> Prediction:
    """ONNX Runtime's CPU provider with one stream on one core, float32."""
    size = work.weight_bytes("fp32")
    rate, level = bandwidth(cpu, size)
    products = work.macs / (MACS_PER_CYCLE[cpu.isa]["fp32"] * EFFICIENCY * cpu.clock_mhz)
    reading = size / rate
    first = {f"{level} bandwidth": reading} if reading >= products else {"arithmetic": products}
    layer = ONNX_LAYER_CYCLES + ONNX_GATE_CYCLES * work.gate
    calls = ONNX_CALL_CYCLES + work.layers * layer
    terms = {**first, "operator overhead": calls / cpu.clock_mhz}
    return _on_cpu("onnx", "fp32", terms, work, memory_gb, PROCESS_MB + ONNX_MB)


def _on_cpu(
    engine: str,
    precision: str,
    terms: dict[str, float],
    work: Work,
    memory_gb: float | None,
    process_mb: float,
) -> Prediction:
    # The float32 weights are read from the file, then packed for the engine; state is float32.
    need = process_mb + (work.macs * 4 + work.weight_bytes(precision) + work.state * 4) / 1e6
    fits = memory_gb is None or need <= free_mb(memory_gb)
    return Prediction(engine, precision, terms, need, fits)


def free_mb(memory_gb: float) -> float:
    """MB of a module's memory that its system and desktop leave free."""
    return max(memory_gb * 1000 - 1500, 0)
