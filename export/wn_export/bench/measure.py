"""How long each generator takes for a block: measured in turns, so that noise falls on all alike.

A generator is anything that makes blocks of samples: an engine, or PyTorch beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.engine import Engine
from wn_runtime.synthesis.uniforms import uniforms

BLOCK_SECONDS = 0.01
"""Audio in a block: what a sound card asks for at a time."""
TURN_SECONDS = 0.1
"""Clock time that a generator gets before the next one has its turn."""
LEAST_BLOCKS = 3
"""Blocks of even the slowest generator."""
_TICK = 1e-9  # seconds: no block takes none


@dataclass(frozen=True)
class Row:
    """One generator on this machine; the keys of wn-bench's JSON."""

    engine: str
    precision: str
    batch: int
    """Streams side by side."""
    threads: int
    samples_per_second: float
    """All streams together, at the median."""
    us_median: float
    """Microseconds of one step, one sample of every stream: median over blocks."""
    us_p99: float
    """The same: 99th percentile over blocks."""
    real_time_factor: float
    """Seconds of sound made in a second, of each stream."""
    first_audio_ms: float | None
    """From the start of a fresh process to its first sample; None where it was not measured."""
    delta_bits: float | None
    """Bits per sample above PyTorch's; None where no reference is."""

    @property
    def real_time(self) -> bool:
        """Whether every stream keeps up, by the median block."""
        return self.real_time_factor >= 1

    @property
    def late(self) -> bool:
        """Whether more than one block in a hundred takes longer than it sounds."""
        return self.real_time_factor * self.us_median / self.us_p99 < 1


@dataclass(frozen=True)
class Generator:
    """What is measured."""

    engine: str
    precision: str
    batch: int
    threads: int
    block: int
    """Samples of each stream that one call makes."""
    make: Callable[[], object]
    """Makes one block."""


@dataclass(frozen=True)
class Times:
    """What `measure` found for one generator."""

    us: NDArray[np.float64]
    """Microseconds of one step, for every block."""
    cpu_share: float
    """CPU time over clock time. On the CPU, much under the threads used: the core was shared, and
    the longer a block, the more of its time went to others."""


def block_length(sample_rate: int) -> int:
    """Samples in a block of 10 ms, at least one."""
    return max(1, round(sample_rate * BLOCK_SECONDS))


def engine_generator(engine: Engine, bias: Bias, seed: int = 0) -> Generator:
    """An engine as a generator: blocks of 10 ms at temperature 1, uniforms drawn beforehand.

    bias: (N, L, B, G) of a block, or None, as the conditioner makes it.
    """
    block = block_length(engine.spec.sample_rate)
    # (P, B, U), the same for every block
    drawn = uniforms(seed, engine.batch, block, engine.spec.output.uniforms)
    return Generator(
        engine=engine.name,
        precision=engine.precision,
        batch=engine.batch,
        threads=engine.threads,
        block=block,
        make=lambda: engine.generate(bias, drawn),
    )


def measure(
    generators: Sequence[Generator],
    seconds: float,
    progress: Callable[[float], None] = lambda _done: None,
) -> list[Times]:
    """The times of every block of every generator, each run for `seconds`.

    They take turns of a tenth of a second; each is warmed up by one block. `progress` is called
    with the clock time a turn took.
    """
    for generator in generators:
        generator.make()
    taken: list[list[float]] = [[] for _ in generators]
    left = [seconds] * len(generators)
    cpu = [0.0] * len(generators)
    while any(remaining > 0 for remaining in left):
        for i, generator in enumerate(generators):
            if left[i] <= 0:
                continue
            began, began_cpu = time.perf_counter(), time.process_time()
            _turn(generator, min(TURN_SECONDS, left[i]), taken[i])
            spent = time.perf_counter() - began
            cpu[i] += time.process_time() - began_cpu
            left[i] -= spent
            progress(spent)
    shares = [used / (seconds - rest) for used, rest in zip(cpu, left, strict=True)]
    for generator, blocks in zip(generators, taken, strict=True):
        while len(blocks) < LEAST_BLOCKS:
            _turn(generator, 0, blocks)
    return [
        Times(np.array(blocks) * 1e6 / generator.block, share)
        for generator, blocks, share in zip(generators, taken, shares, strict=True)
    ]


def row(
    generator: Generator,
    times: Times,
    sample_rate: int,
    first_audio_ms: float | None,
    delta_bits: float | None,
) -> Row:
    """The row of a generator with those times."""
    median = float(np.median(times.us))
    return Row(
        engine=generator.engine,
        precision=generator.precision,
        batch=generator.batch,
        threads=generator.threads,
        samples_per_second=generator.batch * 1e6 / median,
        us_median=median,
        us_p99=float(np.percentile(times.us, 99)),
        real_time_factor=1e6 / median / sample_rate,
        first_audio_ms=first_audio_ms,
        delta_bits=delta_bits,
    )


def _turn(generator: Generator, seconds: float, blocks: list[float]) -> None:
    """At least one block, and more until the turn is over."""
    now = began = time.perf_counter()
    while now == began or now - began < seconds:
        generator.make()
        after = time.perf_counter()
        blocks.append(max(after - now, _TICK))
        now = after
