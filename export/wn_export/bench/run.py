"""Every engine and precision of a model directory that runs here, opened and measured together."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wn_export.bench.first_audio import FirstAudio, first_audio
from wn_export.bench.machine import machine_facts
from wn_export.bench.measure import Generator, Row, block_length, engine_generator, measure, row
from wn_export.parity import reference
from wn_export.parity.available import Unavailable, candidates
from wn_export.parity.compare import compare
from wn_export.parity.expected import Reference
from wn_runtime.conditioning.conditioner import Bias, Conditioner
from wn_runtime.engines import measured
from wn_runtime.engines.choice import open_in
from wn_runtime.engines.engine import Engine
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec

KEYS = frozenset({"header", "rows"})
"""What `as_json` has, and no other command's report."""


@dataclass(frozen=True)
class Bench:
    """What was measured, and where."""

    name: str
    sample_rate: int
    rows: tuple[Row, ...]
    memory_mb: tuple[float | None, ...]
    """Largest resident memory of `wn-run`, for each row; None where it was not measured."""
    cpu_share: tuple[float, ...]
    """CPU time over clock time, for each row: see `wn_export.bench.measure.Times`."""
    unavailable: tuple[Unavailable, ...]
    machine: dict[str, Any]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Machine facts and settings in a header, beside the list of rows."""
        return {
            "header": {
                "model": self.name,
                "sample_rate": self.sample_rate,
                "seconds_each": self.seconds,
                "machine": self.machine,
                "memory_mb": list(self.memory_mb),
                "cpu_share": [round(share, 3) for share in self.cpu_share],
                "unavailable": [dataclasses.asdict(one) for one in self.unavailable],
            },
            "rows": [dataclasses.asdict(one) for one in self.rows],
        }


def run(
    directory: Path,
    seconds: float,
    batches: Sequence[int],
    threads: Sequence[int | None],
    torch_generators: Callable[[Manifest], list[Generator]] = lambda _manifest: [],
    progress: Callable[[float, int], None] = lambda _done, _generators: None,
) -> Bench:
    """Measure all that runs here, for each batch and number of threads, in turns.

    threads: None stands for what an engine takes where nobody says. torch_generators: generators
    measured beside the engines. progress: called with the clock seconds of each turn and the number
    of generators. Raises WavestepError for a broken directory.
    """
    package = ModelPackage(directory)
    package.verify()
    manifest, spec = package.manifest, package.spec
    given = reference.load(package) if manifests.REFERENCE in manifest.files else None
    machine = machine_facts()  # before the load that we make ourselves
    with ExitStack() as stack:
        engines, unavailable = _open_all(package, batches, threads, stack)
        generators = [
            engine_generator(engine, bias_of_a_block(package.conditioner, engine))
            for engine in engines
        ]
        beside = torch_generators(manifest)
        every = [*generators, *beside]
        times = measure(every, seconds, lambda done: progress(done, len(every)))
        bits = [_delta_bits(package, engine, given) for engine in engines]
    starts = [
        _start(directory, spec, generator, unavailable) if generator.batch == 1 else None
        for generator in generators
    ]
    starts += [None] * len(beside)
    bits += [0.0] * len(beside)
    rows = [
        row(generator, taken, spec.sample_rate, None if start is None else start.ms, delta)
        for generator, taken, start, delta in zip(every, times, starts, bits, strict=True)
    ]
    measured.record(
        package,
        {(r.engine, r.precision, r.batch, r.threads): r.us_median for r in rows[: len(engines)]},
    )
    return Bench(
        name=manifest.name,
        sample_rate=spec.sample_rate,
        rows=tuple(rows),
        memory_mb=tuple(None if start is None else start.memory_mb for start in starts),
        cpu_share=tuple(taken.cpu_share for taken in times),
        unavailable=tuple(unavailable),
        machine=machine,
        seconds=seconds,
    )


def bias_of_a_block(conditioner: Conditioner, engine: Engine) -> Bias:
    """The bias of one block: the first value of every condition, frames of zeros."""
    spec, timing = engine.spec, conditioner.timing
    chosen = {c.name: c.values[0] for c in spec.conditions}
    steps = block_length(spec.sample_rate)
    shape = (timing.frames(steps), engine.batch, timing.frame_channels)
    frames = np.zeros(shape, np.float32) if timing.frame_channels else None
    silence = np.full((steps, engine.batch), spec.output.silence, spec.output.sample_dtype)
    return conditioner.whole(chosen, engine.batch, steps, frames, silence)


def _open_all(
    package: ModelPackage,
    batches: Sequence[int],
    threads: Sequence[int | None],
    stack: ExitStack,
) -> tuple[list[Engine], list[Unavailable]]:
    """Every engine and precision for every batch and threads, and those that cannot run here."""
    engines: list[Engine] = []
    seen: set[tuple[str, str, int, int]] = set()
    unavailable: dict[tuple[str, str], Unavailable] = {}
    offered = dict.fromkeys((c.engine, c.precision) for c in candidates(package))
    for batch, number in itertools.product(batches, threads):
        for engine, precision in offered:
            try:
                opened = open_in(package, None, engine, precision, batch, number)
            except WavestepError as reason:  # the files are sound: it cannot run, or not so many
                why = f"{batch} streams: {reason}" if batch > 1 else str(reason)
                one = Unavailable(engine, precision, why)
                unavailable.setdefault((engine, precision), one)
                continue
            stack.callback(opened.close)
            way = (engine, precision, batch, opened.threads)
            if way not in seen:  # an engine may take fewer threads than it is given
                engines.append(opened)
            seen.add(way)
    return engines, list(unavailable.values())


def _start(
    directory: Path, spec: ModelSpec, generator: Generator, unavailable: list[Unavailable]
) -> FirstAudio | None:
    """A cold start; where it fails, its reason goes to `unavailable`."""
    try:
        return first_audio(
            directory, generator.engine, generator.precision, generator.threads, spec
        )
    except WavestepError as reason:
        one = Unavailable(generator.engine, generator.precision, f"first audio: {reason}")
        unavailable.append(one)
        return None


def _delta_bits(package: ModelPackage, engine: Engine, given: Reference | None) -> float | None:
    """From the manifest's parity, or measured against reference.npz; None without either."""
    for proven in package.manifest.parity:
        if (proven.engine, proven.precision) == (engine.name, engine.precision):
            return proven.delta_bits
    if given is None:
        return None
    return compare(engine, given, package.conditioner).row.delta_bits
