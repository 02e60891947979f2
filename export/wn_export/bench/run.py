"""Every engine and precision of a model directory that runs here, opened and measured together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wn_export.bench.first_audio import FirstAudio, first_audio
from wn_export.bench.machine import machine_facts
from wn_export.bench.measure import Generator, Row, engine_generator, measure, row
from wn_export.parity.available import Missing, candidates
from wn_export.parity.compare import compare
from wn_export.parity.reference import load as load_reference
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.engines.engine import Engine, open_engine
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model import weights as canonical
from wn_runtime.model.manifest import Manifest


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
    missing: tuple[Missing, ...]
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
                "missing": [dataclasses.asdict(one) for one in self.missing],
            },
            "rows": [dataclasses.asdict(one) for one in self.rows],
        }


def run(
    directory: Path,
    seconds: float,
    batches: Sequence[int],
    threads: int,
    torch_generators: Callable[[Manifest], list[Generator]] = lambda manifest: [],
    progress: Callable[[float, int], None] = lambda done, generators: None,
) -> Bench:
    """Measure all that runs here, for each batch, in turns.

    torch_generators: generators measured beside the engines. progress: called with the clock
    seconds of each turn and the number of generators. Raises WavestepError for a broken directory.
    """
    manifest = manifests.read(directory)
    manifests.verify(directory, manifest)
    spec = manifest.spec
    machine = machine_facts()  # before the load that we make ourselves
    conditioner = Conditioner(spec, canonical.load(directory / manifests.WEIGHTS, spec))
    chosen = {c.name: c.values[0] for c in spec.conditions}
    with ExitStack() as stack:
        engines, missing = _open_all(directory, batches, threads, stack)
        generators = [
            engine_generator(engine, conditioner.bias(chosen, engine.batch), threads)
            for engine in engines
        ]
        beside = torch_generators(manifest)
        every = [*generators, *beside]
        times = measure(every, seconds, lambda done: progress(done, len(every)))
        bits = [_delta_bits(directory, manifest, engine, conditioner) for engine in engines]
    starts = [
        _start(directory, generator, missing) if generator.batch == 1 else None
        for generator in generators
    ]
    starts += [None] * len(beside)
    bits += [0.0] * len(beside)
    rows = [
        row(generator, taken, spec.sample_rate, None if start is None else start.ms, delta)
        for generator, taken, start, delta in zip(every, times, starts, bits, strict=True)
    ]
    return Bench(
        name=manifest.name,
        sample_rate=spec.sample_rate,
        rows=tuple(rows),
        memory_mb=tuple(None if start is None else start.memory_mb for start in starts),
        cpu_share=tuple(taken.cpu_share for taken in times),
        missing=tuple(missing),
        machine=machine,
        seconds=seconds,
    )


def _open_all(
    directory: Path, batches: Sequence[int], threads: int, stack: ExitStack
) -> tuple[list[Engine], list[Missing]]:
    """Every engine and precision for every batch, and those that cannot run here."""
    engines: list[Engine] = []
    missing: dict[tuple[str, str], Missing] = {}
    offered = dict.fromkeys((c.engine, c.precision) for c in candidates(directory))
    for batch in batches:
        for engine, precision in offered:
            try:
                opened = open_engine(directory, engine, precision, batch=batch, threads=threads)
            except WavestepError as reason:  # the files are sound: it cannot run, or not so many
                why = f"{batch} streams: {reason}" if batch > 1 else str(reason)
                missing.setdefault((engine, precision), Missing(engine, precision, why))
                continue
            stack.callback(opened.close)
            engines.append(opened)
    return engines, list(missing.values())


def _start(directory: Path, generator: Generator, missing: list[Missing]) -> FirstAudio | None:
    """A cold start; where it fails, its reason goes to `missing`."""
    try:
        return first_audio(directory, generator.engine, generator.precision, generator.threads)
    except WavestepError as reason:
        missing.append(Missing(generator.engine, generator.precision, f"first audio: {reason}"))
        return None


def _delta_bits(
    directory: Path, manifest: Manifest, engine: Engine, conditioner: Conditioner
) -> float | None:
    """From the manifest's parity, or measured against reference.npz; None without either."""
    for proven in manifest.parity:
        if (proven.engine, proven.precision) == (engine.name, engine.precision):
            return proven.delta_bits
    if not (directory / manifests.REFERENCE).exists():
        return None
    engine.reset()
    reference = load_reference(directory / manifests.REFERENCE)
    return compare(engine, reference, conditioner).row.delta_bits
