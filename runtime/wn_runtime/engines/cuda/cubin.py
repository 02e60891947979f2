"""Kernels compiled ahead of time for a GPU, in a model directory; wn-export writes them.

Where one fits, the engine needs the driver and cuda-core: no compiler, and nothing of NVRTC is
loaded.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from wn_runtime.engines import trust
from wn_runtime.engines.cuda.choose import Kind, cost_of, runs_at_once
from wn_runtime.engines.cuda.costs import Gpu
from wn_runtime.engines.cuda.kind import PRECISIONS
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.cuda.source import source
from wn_runtime.engines.device_loop.compiler import source_digest
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model import strict
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.package import ModelPackage

ENGINE = "cuda"
_VERSION = re.compile(r"\d{1,3}\.\d{1,3}")
_MOST_SHARED = 2**20
"""Bytes a block that no GPU gives."""


@dataclass(frozen=True)
class CubinRecord:
    """`built` of a cubin's entry in the manifest."""

    compute_capability: str
    """`8.7`: of the GPUs that it runs on, no other."""
    schedule: str
    """`alone:4` (see `choose.Kind`)."""
    shared_limit: int
    """Bytes of shared memory a block that the schedule was chosen for."""
    source_sha256: str
    """Of the text that was compiled: it has the model's shapes and the schedule in it."""
    nvrtc: str
    """Version of the compiler. A driver of its major version of CUDA, or a newer one, loads it."""
    registers: int
    """Of a thread."""
    spill_bytes: int
    """Of a thread, written to memory for want of registers."""
    shared_bytes: int
    """Of a block."""
    threads: int
    """Of a block."""
    predicted: dict[str, float]
    """Streams to the samples a second of each that the target is predicted to make."""
    target: str = ""
    """What it was exported for: `orin-nano-8gb`."""
    multiprocessors: int = 1
    """Of the GPU that the schedule was chosen for."""

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.compute_capability):
            raise ValueError(f"compute_capability is {self.compute_capability[:20]!r}, not as 8.7")
        if not _VERSION.fullmatch(self.nvrtc):
            raise ValueError(f"nvrtc is {self.nvrtc[:20]!r}, not a version as 12.6")
        if not 0 <= self.shared_limit <= _MOST_SHARED:
            raise ValueError(f"shared_limit is {self.shared_limit}; it must be 0 to {_MOST_SHARED}")
        if self.multiprocessors < 1:
            raise ValueError(f"multiprocessors is {self.multiprocessors}; it must be 1 or more")
        try:
            Kind.of(self.schedule)
        except WavestepError as error:
            raise ValueError(str(error)) from error

    @property
    def cuda(self) -> int:
        """The oldest major version of CUDA whose drivers load it."""
        return int(self.nvrtc.split(".")[0])


@dataclass(frozen=True)
class Cubin:
    """A file, and the schedule it is the code of."""

    artifact: Artifact
    schedule: Schedule


@dataclass(frozen=True)
class ThisGpu:
    """What a cubin meets."""

    name: str
    gpu: Gpu
    cuda: tuple[int, int]
    """Version of CUDA of its driver."""


def name(precision: str, compute_capability: str, schedule: Kind) -> str:
    """`cuda.sm_87.int8.alone-4.cubin`."""
    sm = compute_capability.replace(".", "")
    return f"cuda.sm_{sm}.{precision}.{str(schedule).replace(':', '-')}.cubin"


def checked(package: ModelPackage, artifact: Artifact, here: ThisGpu) -> Cubin:
    """The cubin of an artifact, where this GPU can run it; its trust is not looked at.

    Raises EngineUnavailable with what it is for and what this is, WavestepError for a record that
    is broken.
    """
    path = package.directory / artifact.file
    where = f"{package.directory / manifests.MANIFEST}: {artifact.file}"
    record = strict.parse(CubinRecord, artifact.built, where)
    remedy = f"compile it anew with wn-export {package.directory} --target NAME"
    if artifact.precision not in PRECISIONS:
        raise EngineUnavailable(
            f"{path} has precision {artifact.precision}; the cuda engine runs "
            f"{', '.join(PRECISIONS)}"
        )
    if record.compute_capability != here.gpu.compute_capability:
        raise EngineUnavailable(
            f"{path} is for compute capability {record.compute_capability}, this is {here.name} "
            f"({here.gpu.compute_capability}); {remedy}"
        )
    if record.cuda > here.cuda[0]:
        raise EngineUnavailable(
            f"{path} was compiled by CUDA {record.nvrtc} and this driver is of CUDA "
            f"{here.cuda[0]}.{here.cuda[1]}; update the driver (or JetPack), or compile it with an "
            f"NVRTC of CUDA {here.cuda[0]}"
        )
    limit = Gpu(record.compute_capability, record.multiprocessors, record.shared_limit)
    try:
        schedule = Kind.of(record.schedule).schedule(package.spec, artifact.precision, limit)
    except EngineUnavailable:
        schedule = None
    if schedule is None or source_digest(source(schedule)) != record.source_sha256:
        raise EngineUnavailable(
            f"{path} was compiled from other sources, or for a model of other shapes, than these; "
            f"{remedy}"
        )
    if schedule.shared_bytes > here.gpu.shared_bytes:
        raise EngineUnavailable(
            f"{path} needs {schedule.shared_bytes} bytes of shared memory a block, {here.name} "
            f"gives {here.gpu.shared_bytes}; {remedy}"
        )
    return Cubin(artifact, schedule)


def fitting(
    package: ModelPackage, precision: str, batch: int, here: ThisGpu
) -> tuple[Cubin | None, EngineUnavailable | None]:
    """The cubin that should be fastest for `batch` streams, of those that run here and are trusted.

    And where there is none, why the last that was looked at is not it; None where the directory
    has none of that precision.
    """
    reason: EngineUnavailable | None = None
    best: tuple[float, Cubin | None] = (math.inf, None)
    for artifact in package.manifest.artifacts:
        if (artifact.engine, artifact.precision) != (ENGINE, precision):
            continue
        try:
            cubin = checked(package, artifact, here)
            require_room(package, cubin, batch, here)
            require_trust(package, artifact)
        except EngineUnavailable as unsuitable:
            reason = unsuitable
            continue
        cycles = cost_of(cubin.schedule, batch, here.gpu).cycles
        best = min(best, (cycles, cubin), key=lambda entry: entry[0])
    return best[1], reason


def require_room(package: ModelPackage, cubin: Cubin, batch: int, here: ThisGpu) -> None:
    """Raise EngineUnavailable where blocks that wait for each other do not run at once."""
    if not runs_at_once(cubin.schedule, batch, here.gpu):
        raise EngineUnavailable(
            f"{package.directory / cubin.artifact.file} has {cubin.schedule.cluster} blocks a "
            f"group of {cubin.schedule.streams}, which for {batch} streams do not run at once on "
            f"{here.name} ({here.gpu.multiprocessors} multiprocessors); take fewer streams"
        )


def require_trust(package: ModelPackage, artifact: Artifact) -> None:
    """Raise Untrusted unless this user has said that the file may run."""
    digest = package.manifest.files[artifact.file].sha256
    trust.require(digest, package.directory / artifact.file)
