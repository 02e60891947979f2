"""Which schedule a model gets on a GPU: the cheapest by the cost model, or the one that is named.

WAVESTEP_CUDA_SCHEDULE=alone:4             four streams a group, each group one thread block
WAVESTEP_CUDA_SCHEDULE=clustered:1         one stream a group, each group a cluster of them
WAVESTEP_CUDA_SCHEDULE=clustered:1:skip    which leaves its skip weights in global memory
WAVESTEP_CUDA_SCHEDULE=flagged:1:older     the same of blocks that are no cluster, older taps too
"""

from __future__ import annotations

import functools
import itertools
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wn_runtime.engines.cuda.alone import alone
from wn_runtime.engines.cuda.costs import Cost, Gpu, Kernel, cost
from wn_runtime.engines.cuda.schedule import READS, Schedule
from wn_runtime.engines.cuda.several import clustered, flagged
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.work import Work

VARIABLE = "WAVESTEP_CUDA_SCHEDULE"
OLDEST_SM = 75
"""The oldest compute capability whose tensor cores the kernel's products are written for."""
FAMILIES = ("clustered", "flagged", "alone")
GROUPS = (1, 2, 4, 8, 16, 32, 64)
"""Streams that a group can have."""
_NAME = re.compile(r"(alone|clustered|flagged):(\d{1,4})(?::(\w{1,10}))?")


# wn-targets asks for the same ones of many devices and numbers of streams.
_alone = functools.lru_cache(1024)(alone)
_clustered = functools.lru_cache(1024)(clustered)
_flagged = functools.lru_cache(1024)(flagged)


@dataclass(frozen=True)
class Kind:
    """A family of schedules, and the streams of a group: `alone:4`.

    Of several blocks a group also what they read (schedule.READS): `clustered:1:skip`.
    """

    family: str
    streams: int
    read: str = ""

    @classmethod
    def of(cls, name: str) -> Kind:
        """Raises WavestepError for what names none."""
        found = _NAME.fullmatch(name)
        kind = cls(found[1], int(found[2]), found[3] or "") if found else None
        if kind is None or kind.streams not in GROUPS or kind.read not in kind.reads:
            raise WavestepError(
                f"schedule {name[:40]!r} is unknown; give alone:N, clustered:N or flagged:N with N "
                f"streams a group, one of {', '.join(map(str, GROUPS))}; after the last two also "
                ":skip or :older, weights that stay in global memory"
            )
        return kind

    @property
    def tried(self) -> bool:
        """Whether a GPU has run its like; what none has is taken only where it is named."""
        return self.family != "flagged" and not self.read

    @property
    def reads(self) -> tuple[str, ...]:
        """Those of its family."""
        return READS[:1] if self.family == "alone" else READS

    def __str__(self) -> str:
        return ":".join([self.family, str(self.streams), *([self.read] if self.read else [])])

    def schedule(self, spec: ModelSpec, precision: str, gpu: Gpu) -> Schedule:
        """Raises EngineUnavailable where the GPU cannot run the model so."""
        shared, most = gpu.shared_bytes, gpu.most_cluster
        if self.family == "alone":
            return _alone(spec, precision, self.streams, shared, gpu.sm >= 80)
        found = None
        if self.family == "flagged":
            return self._flagged(spec, precision, gpu)
        if most > 1:
            found = _clustered(spec, precision, self.streams, shared, most, self.read)
        if found is None:
            raise EngineUnavailable(
                f"schedule {self} needs a cluster whose blocks hold all weights in {precision}, "
                f"and the GPU (compute capability {gpu.compute_capability}) has no such; use "
                f"alone:{self.streams}"
            )
        return found

    def _flagged(self, spec: ModelSpec, precision: str, gpu: Gpu) -> Schedule:
        found = None
        if gpu.cooperative:
            found = _flagged(
                spec,
                precision,
                self.streams,
                gpu.shared_bytes,
                gpu.multiprocessors,
                self.read,
                gpu.sm >= 80,
            )
        if found is None:
            raise EngineUnavailable(
                f"schedule {self} needs as many blocks as hold all weights in {precision} at once, "
                f"each on a multiprocessor of its own, and the GPU ({gpu.multiprocessors}, with "
                f"{gpu.shared_bytes} bytes of shared memory each) does not run them; use "
                f"alone:{self.streams}"
            )
        return found


@dataclass(frozen=True)
class Choice:
    """A schedule, and what the model says it costs."""

    kind: Kind
    schedule: Schedule
    cost: Cost


def choose(
    spec: ModelSpec,
    precision: str,
    batch: int,
    gpu: Gpu,
    environ: Mapping[str, str] = os.environ,
) -> Choice:
    """The schedule named in the environment, else the cheapest one.

    Raises EngineUnavailable where the GPU can run none, or not that one; WavestepError for a name
    that is no schedule's.
    """
    if gpu.sm < OLDEST_SM:
        raise EngineUnavailable(
            f"the cuda engine needs compute capability 7.5 or newer, this GPU has "
            f"{gpu.compute_capability}; use another engine"
        )
    named = environ.get(VARIABLE, "").strip()
    if named:
        kind = Kind.of(named)
        schedule = kind.schedule(spec, precision, gpu)
        if not runs_at_once(schedule, batch, gpu):
            raise EngineUnavailable(
                f"schedule {kind} has {-(-batch // kind.streams)} groups of {schedule.cluster} "
                f"blocks for {batch} streams, which have to run at once, and the GPU has "
                f"{gpu.multiprocessors} multiprocessors; use alone:{kind.streams}"
            )
        return Choice(kind, schedule, cost_of(schedule, batch, gpu))
    return cheapest(spec, precision, batch, gpu)


def cheapest(spec: ModelSpec, precision: str, batch: int, gpu: Gpu, tried: bool = True) -> Choice:
    """The schedule that makes a step of `batch` streams soonest; of equals the least work.

    tried: of those only that a GPU has run. Raises EngineUnavailable where this one can run none.
    """
    every = candidates(spec, precision, batch, gpu)
    found = [each for each in every if each.kind.tried or not tried]
    if not found:
        alone(spec, precision, 1, gpu.shared_bytes, gpu.sm >= 80)  # says what is lacking

    def worth(choice: Choice) -> tuple[float, float, int]:
        """What does not limit, and the blocks that it takes, where the limit is the same."""
        one = choice.cost
        blocks = -(-batch // choice.schedule.streams) * choice.schedule.cluster
        return one.cycles, one.chain + one.reading + one.products, blocks

    return min(found, key=worth)


def candidates(spec: ModelSpec, precision: str, batch: int, gpu: Gpu) -> Iterator[Choice]:
    """Every schedule that the GPU runs, of no more streams a group than there are."""
    for family, streams in itertools.product(FAMILIES, GROUPS):
        if streams // 2 >= batch:
            continue
        for read in Kind(family, streams).reads:
            kind = Kind(family, streams, read)
            try:
                schedule = kind.schedule(spec, precision, gpu)
            except EngineUnavailable:
                continue
            if runs_at_once(schedule, batch, gpu):
                yield Choice(kind, schedule, cost_of(schedule, batch, gpu))


def runs_at_once(schedule: Schedule, batch: int, gpu: Gpu) -> bool:
    """Whether blocks that wait for each other have a multiprocessor each."""
    groups = -(-batch // schedule.streams)
    return not schedule.flags or groups * schedule.cluster <= gpu.multiprocessors


def cost_of(schedule: Schedule, batch: int, gpu: Gpu) -> Cost:
    """What a step of `batch` streams costs in a schedule."""
    return cost(kernel_of(schedule), batch, gpu)


def kernel_of(schedule: Schedule) -> Kernel:
    """A schedule as the cost model takes it."""
    spec, ranks = schedule.spec, range(schedule.layer_ranks)
    alone = schedule.cluster == 1
    size = schedule.model_bytes - schedule.embedding_bytes
    return Kernel(
        precision=schedule.precision,
        source=schedule.source,
        streams=schedule.streams,
        blocks=schedule.cluster,
        layers=spec.layers,
        bytes=size if alone else max(map(schedule.read_bytes, range(schedule.cluster))),
        macs=Work.of(spec).macs,
        shares=() if alone else tuple(map(schedule.layers_of, ranks)),
        skip_bytes=0.0 if alone or not schedule.read else schedule.skip_bytes,
        chained=schedule.chained and schedule.streams == 1,
        flags=schedule.flags,
    )
