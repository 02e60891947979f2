"""What a plan was built for, and whether this machine is that: asked before TensorRT is."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from pathlib import Path

from wn_runtime import files
from wn_runtime.engines.tensorrt.fused.record import FusedRecord
from wn_runtime.engines.tensorrt.module import FLAVOURS, PRODUCTS, newer_or_same
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model import names, strict
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.package import ModelPackage

_MIB = 2**20


@dataclass(frozen=True)
class PlanRecord:
    """`built` of a plan's entry in the manifest."""

    flavour: str
    """`tensorrt` or `tensorrt_rtx`."""
    version: str
    """Of TensorRT, in full: its plans run in this one only."""
    platform: str
    """`x86_64` or `aarch64`."""
    gpu: str | None
    """Name of the GPU it was built on; None: built without one."""
    compute_capability: str | None
    """`8.7`."""
    version_compatible: bool
    """It runs in later versions too."""
    onnx: str
    """What it was built from, in the same directory: a graph, or the weights of a fused one."""
    onnx_sha256: str
    seconds: float
    """That the build took."""
    working_bytes: int | None = None
    """GPU memory of one execution context; None where the plan could not be loaded."""
    layers: dict[str, int] = field(default_factory=dict)
    """Layers by type, as the inspector counts them in the plan, or the parser in the network."""
    products: dict[str, int] = field(default_factory=dict)
    """Multiplications a call in matrix products, by their precision."""
    fused: FusedRecord | None = None
    """Of a plan whose one node is the cuda engine's kernel; None: built of a step graph."""

    def __post_init__(self) -> None:
        if self.flavour not in FLAVOURS:
            raise ValueError(f"flavour is {self.flavour!r}; it must be one of {list(FLAVOURS)}")
        names.check(self.onnx, "onnx")
        if self.working_bytes is not None and self.working_bytes < 0:
            raise ValueError(f"working_bytes is {self.working_bytes}; it must be 0 or more")


@dataclass(frozen=True)
class ThisMachine:
    """What a plan meets."""

    gpu: str
    compute_capability: str
    available_bytes: int
    version: str
    """Of the TensorRT of the plan's flavour."""


def read(directory: Path, artifact: Artifact) -> PlanRecord:
    """The record of a plan. Raises WavestepError where the manifest's is broken."""
    where = f"{directory / manifests.MANIFEST}: {artifact.file}"
    return strict.parse(PlanRecord, artifact.built, where)


def check_files(package: ModelPackage, artifact: Artifact) -> PlanRecord:
    """Check the plan's file, and that its graph is the one it was built from; no GPU needed."""
    directory = package.directory
    path = directory / artifact.file
    if path.exists() and path.stat().st_size == 0:
        raise WavestepError(f"{path} is empty; {rebuild_command(directory)}")
    try:
        package.verify(artifact.file)
    except WavestepError as error:
        said = str(error).rsplit("; ", 1)[0]
        raise WavestepError(f"{said}; {rebuild_command(directory)}") from error
    record = read(directory, artifact)
    graph = directory / record.onnx
    if graph.exists() and _digest(directory, record.onnx) != record.onnx_sha256:
        raise WavestepError(
            f"{graph} has changed since {artifact.file} was built from it; "
            f"{rebuild_command(directory)}"
        )
    return record


def _digest(directory: Path, name: str) -> str:
    try:
        return files.size_and_sha256(files.inside(directory, name))[1]
    except OSError as error:
        raise WavestepError(
            f"{directory / name} cannot be read ({error.strerror}); {rebuild_command(directory)}"
        ) from error


def check_machine(path: Path, record: PlanRecord, machine: ThisMachine) -> None:
    """Raise EngineUnavailable unless the plan at `path` is for this machine, in one sentence."""
    product = PRODUCTS[record.flavour]
    remedy = rebuild_command(path.parent)
    built_on = record.gpu or "no GPU"
    if record.platform != platform.machine():
        raise EngineUnavailable(
            f"{path} was built on {record.platform}, this machine is {platform.machine()}; {remedy}"
        )
    if record.compute_capability not in (None, machine.compute_capability):
        raise EngineUnavailable(
            f"{path} was built for {built_on} (compute capability {record.compute_capability}), "
            f"this is {machine.gpu} ({machine.compute_capability}); {remedy}"
        )
    same = record.version == machine.version
    later = record.version_compatible and newer_or_same(machine.version, record.version)
    if not (same or later):
        raise EngineUnavailable(
            f"{path} was built with {product} {record.version}, this is {product} "
            f"{machine.version}; {remedy}"
        )


def check_memory(path: Path, machine: ThisMachine, needed_bytes: int) -> None:
    """Raise EngineUnavailable unless the GPU has so much left."""
    if needed_bytes > machine.available_bytes:
        raise EngineUnavailable(
            f"{path} needs {needed_bytes / _MIB:.0f} MiB of GPU memory, {machine.gpu} has "
            f"{machine.available_bytes / _MIB:.0f} MiB free; close other programs on it, or export "
            "with a smaller --batch"
        )


def rebuild_command(directory: Path) -> str:
    """What to type to build the plan anew from the graph that is kept beside it."""
    return f"build it anew here with wn-export {directory}"
