"""How many threads make one stream, where nobody says: what is fastest here, measured once."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping

import numpy as np

from wn_runtime.engines import cores, measured
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.native.costs import ORDINARY, step_cycles
from wn_runtime.engines.native.kind import MOST_OWN_THREADS
from wn_runtime.heads.head import UNIFORM_BITS
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.work import Work

_WORTH_US = 5.0
"""Threads hand over to each other some tenths of a microsecond for every layer: the steps of small
models are over before it pays."""
_GAIN = 1.15
"""More threads must be so much faster: they keep that many cores busy."""
_TURNS, _TURN_US, _LEAST_STEPS = 5, 2000.0, 16
_BUSY = 0.5
"""Others' load, of the cores, from which on what is measured is not kept."""


def fastest(package: ModelPackage, precision: str, opened: Callable[[int], Engine]) -> Engine:
    """The engine that is worth its threads, of those that `opened` makes with a number of them.

    Its note says what they give. What was measured here before, by this or by wn-bench, is not
    measured again.
    """
    most = most_threads(Work.of(package.spec), precision, cores.usable())
    us = {n: measured.step_us(package, "native", precision, 1, n) for n in range(1, most + 1)}
    known = {n: found for n, found in us.items() if found is not None}
    if most > 1 and len(known) < most:
        engines = {n: opened(n) for n in us}
        known = step_us(engines)
        if not _busy():
            measured.record(package, {("native", precision, 1, n): v for n, v in known.items()})
        chosen = worth(known)
        for n, engine in engines.items():
            if n != chosen:
                engine.close()
        engine = engines[chosen]
        engine.reset()
    else:
        chosen = worth(known) if most > 1 else 1
        engine = opened(chosen)
    if chosen > 1:
        engine.note += f" ({known[1] / known[chosen]:.1f}× one)"
    return engine


def most_threads(work: Work, precision: str, usable: int) -> int:
    """Those that may be worth it for one stream, of so many cores."""
    if step_cycles(work, precision) / ORDINARY.mhz < _WORTH_US:
        return 1
    return min(MOST_OWN_THREADS, usable)


def worth(us: Mapping[int, float]) -> int:
    """The number of threads to take, from the microseconds of a step with each."""
    best = 1
    for n in sorted(us):
        if us[n] * _GAIN < us[best]:
            best = n
    return best


def step_us(engines: Mapping[int, Engine]) -> dict[int, float]:
    """Microseconds of a step of each engine: the medians of short blocks, in turns."""

    def block(engine: Engine, steps: int) -> float:
        spec = engine.spec
        bias = None
        if spec.conditioning:
            bias = np.zeros((1, spec.layers, engine.batch, spec.gate_channels), np.float32)
        shape = (steps, engine.batch, spec.output.uniforms)
        drawn = np.random.default_rng(0).integers(0, 1 << UNIFORM_BITS, shape, np.int32)
        began = time.perf_counter()
        engine.generate(bias, drawn)
        return (time.perf_counter() - began) * 1e6 / steps

    first = block(next(iter(engines.values())), _LEAST_STEPS)
    steps = max(_LEAST_STEPS, int(_TURN_US / first))
    found: dict[int, list[float]] = {n: [] for n in engines}
    for _ in range(_TURNS):
        for n, engine in engines.items():
            found[n].append(block(engine, steps))
    return {n: statistics.median(each) for n, each in found.items()}


def _busy() -> bool:
    if sys.platform == "win32":  # which does not tell
        return False
    try:
        return os.getloadavg()[0] > _BUSY * (os.cpu_count() or 1)
    except OSError:
        return False
