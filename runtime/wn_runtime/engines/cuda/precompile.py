"""Compiles kernels ahead of time for a GPU that is elsewhere; no GPU or driver is needed here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from wn_runtime.engines.cuda import cubin as cubins
from wn_runtime.engines.cuda.choose import Choice, Kind, cheapest
from wn_runtime.engines.cuda.costs import Gpu
from wn_runtime.engines.cuda.cubin import CubinRecord
from wn_runtime.engines.cuda.source import GENERATE, source
from wn_runtime.engines.device_loop.compiler import source_digest
from wn_runtime.engines.device_loop.nvrtc import compile_ahead
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.spec import ModelSpec


def choices(spec: ModelSpec, precision: str, batches: Iterable[int], gpu: Gpu) -> list[Choice]:
    """The cheapest schedules for so many streams, each once.

    Raises EngineUnavailable where the GPU runs none.
    """
    found: dict[Kind, Choice] = {}
    for batch in batches:
        choice = cheapest(spec, precision, batch, gpu)
        found.setdefault(choice.kind, choice)
    return list(found.values())


def precompile(
    choice: Choice, gpu: Gpu, predicted: Mapping[str, float], target: str
) -> tuple[Artifact, bytes]:
    """Compile a schedule for a GPU: the file's entry in the manifest, and what is to be in it.

    predicted: streams to samples a second of each. Raises EngineUnavailable without NVRTC, and
    where it does not know the GPU.
    """
    schedule = choice.schedule
    text = source(schedule)
    compiled = compile_ahead(text, gpu.compute_capability)
    usage = compiled.usage.get(GENERATE)
    if usage is None:
        raise EngineUnavailable(
            f"NVRTC {compiled.nvrtc} does not say how many registers {GENERATE} takes; take "
            "another version"
        )
    record = CubinRecord(
        compute_capability=gpu.compute_capability,
        schedule=str(choice.kind),
        shared_limit=gpu.shared_bytes,
        source_sha256=source_digest(text),
        nvrtc=compiled.nvrtc,
        registers=usage.registers,
        spill_bytes=usage.spill_bytes,
        shared_bytes=schedule.shared_bytes,
        threads=schedule.threads,
        predicted=dict(predicted),
        target=target,
        multiprocessors=gpu.multiprocessors,
    )
    file = cubins.name(schedule.precision, gpu.compute_capability, choice.kind)
    built = dataclasses.asdict(record)
    artifact = Artifact(file, cubins.ENGINE, schedule.precision, schedule.streams, built=built)
    return artifact, compiled.code
