"""How fast a CPU generates: weights through the caches, products, and the dependent chain.

    step = overlap(bytes / bandwidth(bytes), products * cost) + layers * gate * cost + cost

With several threads for one stream the chain's thread and its helpers each read their part, stage
by stage (runtime/wn_runtime/engines/native/source/team.h). docs/targets.md derives it, says where
each constant is from, and gives its error.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

from wn_runtime.engines.native.costs import COSTS
from wn_runtime.engines.native.helped import CHAIN_TIME, left_layers, shares_taps
from wn_runtime.engines.onnx.costs import overhead_cycles
from wn_runtime.model.work import WEIGHT_BYTES, Work
from wn_targets.devices.target import Cpu
from wn_targets.models.prediction import Prediction

VISIBLE = 0.3
"""Share of the shorter of reading and multiplying that does not hide behind the longer."""
HOLDS, SPILLS = 0.65, 1.75
"""A cache keeps its rate up to the first share of its size, and has lost it at the second."""

HANDOVER_US, HANDOVERS = 0.12, 3
"""From one core to another, as `bench/native/threads.py` measured it on a Xeon, and how many of a
sample nothing hides: the last z, the row between the head's products, the params."""

PROCESS_MB = 60.0
"""Python, NumPy and the engine's library in memory."""
ONNX_MB = 60.0
"""ONNX Runtime on top of that."""


def bandwidth(cpu: Cpu, size: float) -> tuple[float, str]:
    """Bytes per microsecond that one core reads `size` bytes with, again and again, and whence.

    A cache holds its rate up to two thirds of its size, then falls to the next level's, straight on
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


def native(cpu: Cpu, work: Work, precision: str, threads: int = 1) -> Prediction:
    """The native engine with one stream, on one core or on several; its memory without a stream."""
    cost = COSTS[cpu.isa][precision]
    speed = cpu.clock_mhz * cpu.ipc  # costs per microsecond

    def stage(weights: float, of: float, times: float = 1.0) -> dict[str, float]:
        """A part of the weights, on a core that reads so many for every sample."""
        rate, level = bandwidth(cpu, of * WEIGHT_BYTES[precision])
        reading = weights * WEIGHT_BYTES[precision] / rate
        return _overlapped(level, reading, times * weights * cost.product / speed)

    latency = (work.layers * work.gate * cost.gate + cost.sample * work.params / 256) / speed
    if threads == 1:
        products = work.products(precision)
        terms = {**stage(products, products), "latency": latency}
        return _on_cpu("native", precision, terms, work, PROCESS_MB)
    helpers = threads - 1
    first, last = work.head_products(precision)
    shared = last / threads
    older, left = float(work.older), 0.0
    if shares_taps(work):
        older /= threads
    elif work.older:
        left = older / work.layers * left_layers(work, precision, helpers)
        older -= left
    chain = work.products(precision) - work.skip - first - last - work.older
    theirs = (older if shares_taps(work) else 0.0) + first / helpers
    chains, helps = chain + older + shared, (work.skip + left) / helpers + theirs + shared
    layers, beside = stage(chain, chains, CHAIN_TIME), stage((work.skip + left) / helpers, helps)
    stages = [
        max({**layers, "latency": latency}, beside, key=_total),
        max(stage(older, chains), stage(theirs, helps), key=_total),
        stage(shared, max(chains, helps)),
        {"hand-overs": HANDOVERS * HANDOVER_US},
    ]
    terms = {}
    for name, us in itertools.chain.from_iterable(each.items() for each in stages):
        terms[name] = terms.get(name, 0.0) + us
    how = f"{threads} threads"
    return _on_cpu("native", precision, terms, work, PROCESS_MB, how)


def _total(terms: Mapping[str, float]) -> float:
    return sum(terms.values())


def onnx(cpu: Cpu, work: Work) -> Prediction:
    """ONNX Runtime's CPU provider with one stream on one core, float32; memory as of `native`."""
    size = work.weight_bytes("fp32")
    rate, level = bandwidth(cpu, size)
    products = work.macs * COSTS[cpu.isa]["fp32"].product / (cpu.clock_mhz * cpu.ipc)
    reading = size / rate
    beside = _overlapped(level, reading, products)
    terms = {**beside, "operator overhead": overhead_cycles(work) / cpu.clock_mhz}
    return _on_cpu("onnx", "fp32", terms, work, PROCESS_MB + ONNX_MB)


def _overlapped(level: str, reading: float, products: float) -> dict[str, float]:
    """Both terms as far as they show: the longer whole, the shorter where it is not hidden."""
    if reading >= products:
        return {f"{level} bandwidth": reading, "arithmetic": products * VISIBLE}
    return {"arithmetic": products, f"{level} bandwidth": reading * VISIBLE}


def _on_cpu(
    engine: str,
    precision: str,
    terms: dict[str, float],
    work: Work,
    process_mb: float,
    how: str = "",
) -> Prediction:
    # The float32 weights are read from the file, then packed for the engine.
    need = process_mb + (work.macs * 4 + work.weight_bytes(precision)) / 1e6
    return Prediction(engine, precision, terms, need, how=how)


def free_mb(memory_gb: float) -> float:
    """MB of a module's memory that its system and desktop leave free."""
    return max(memory_gb * 1000 - 1500, 0)
