"""What the CUDA engine is tried with on this GPU, compiled ahead by all of the machine's cores."""

from __future__ import annotations

import concurrent.futures.process
import contextlib
import multiprocessing
import os
from collections.abc import Set
from typing import NamedTuple

import pytest

from tests.models.specs import CORNERS, small_spec
from tests.runtime.engines.cuda.schedules import FIVE_LAYERS, every, runnable
from wn_runtime.engines.cuda.schedule import PRECISIONS, Schedule
from wn_runtime.engines.cuda.source import GENERATE, source
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.model.spec import ModelSpec

_TEN = [1 << i for i in range(10)]
FULL_SIZE = {
    name: small_spec(
        _TEN * stacks, residual=64, gate=128, skip=skip, head=256, classes=256, sample_rate=16000
    )
    for name, stacks, skip in (("L20R64S128", 2, 128), ("L30R64S256", 3, 256))
}
SMALL = CORNERS | {"five_layers": FIVE_LAYERS}
MODELS = SMALL | FULL_SIZE
VARIANTS = ("cluster-skip", "cluster-older", "flags", "flags-older", "flags-two")
_MOST_COMPILERS = 16


class Case(NamedTuple):
    """One engine."""

    model: str
    precision: str
    kind: str
    """Of the schedule, a name of `tests.runtime.engines.cuda.schedules`."""
    streams: int
    """Of a group."""
    batch: int

    @property
    def spec(self) -> ModelSpec:
        """Of the model."""
        return MODELS[self.model]

    def schedule(self, device: CudaDevice) -> Schedule:
        """For this GPU, or a skip where it cannot run it."""
        groups = -(-self.batch // self.streams)
        found = runnable(device, self.spec, self.precision, self.streams, groups)
        if self.kind not in found:
            pytest.skip(
                f"{device.name} (compute capability {device.compute_capability}, "
                f"{device.multiprocessors} multiprocessors, {device.shared_bytes} bytes of shared "
                f"memory a block) has no "
                f"{self.kind} of {self.model} in {self.precision}"
            )
        return found[self.kind]

    def __str__(self) -> str:
        return f"{self.model}-{self.precision}-{self.kind}-{self.batch}x{self.streams}"


def corners() -> list[Case]:
    """Every corner in every precision with every kind of schedule: two groups, one of them full.

    What differs only in where weights are, or how blocks hand over, with some of them.
    """
    return [
        Case(model, precision, kind, 2, 3)
        for model, spec in SMALL.items()
        for precision in PRECISIONS
        for kind in every(spec, precision, 2)
        if kind not in VARIANTS or model in ("five_layers", "uneven")
    ] + [
        Case(model, precision, kind, streams, batch)
        for model in ("uneven", "kernel_3")
        for precision, kind in (("int8", "resident"), ("fp16", "cluster"), ("int8", "ring"))
        for streams, batch in ((1, 1), (9, 20))
    ]


def full_size() -> list[Case]:
    """One stream by a cluster, by flags and by a block; 64 by blocks of eight, clusters of four."""
    return [
        Case(model, precision, kind, streams, batch)
        for model in FULL_SIZE
        for precision in PRECISIONS
        for kind, streams, batch in (
            ("cluster", 1, 1),
            ("cluster-skip", 1, 1),
            ("cluster-older", 1, 1),
            ("flags-older", 1, 1),
            ("ring", 1, 1),
            ("direct", 1, 1),
            ("ring", 8, 64),
            ("cluster", 4, 64),
        )
        if precision != "fp32" or kind == "direct"
    ]


def compile_ahead(cases: Set[Case]) -> None:
    """Fill the cache of compiled code; what fails here fails again, and is told, in its test."""
    workers = min(_MOST_COMPILERS, os.cpu_count() or 1, len(cases))
    if workers < 2:
        return
    spawned = multiprocessing.get_context("spawn")  # CUDA does not outlive a fork
    with (
        contextlib.suppress(concurrent.futures.process.BrokenProcessPool),
        concurrent.futures.ProcessPoolExecutor(workers, spawned) as pool,
    ):
        list(pool.map(_compile, sorted(cases)))


def _compile(case: Case) -> None:
    with contextlib.suppress(Exception, pytest.skip.Exception):
        device = CudaDevice()
        device.kernels(source(case.schedule(device)), GENERATE)
        device.close()
