"""What a plan was built for, and whether this machine is that: asked before TensorRT is."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from wn_runtime.engines.engine import EngineUnavailable
from wn_runtime.engines.tensorrt.module import FLAVOURS, PRODUCTS, newer_or_same
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model import strict
from wn_runtime.model.manifest import Artifact, Manifest

ANSWER = "--answer"
"""Tells wn_export.tensorrt.build to give its reason as it gives its result: on stdout."""
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
    """The graph it was built from, in the same directory."""
    onnx_sha256: str
    seconds: float
    """That the build took."""
    working_bytes: int | None = None
    """GPU memory of one execution context; None where the plan could not be loaded."""
    layers: dict[str, int] = field(default_factory=dict)
    """Layers by type, as the inspector counts them in the plan, or the parser in the network."""
    products: dict[str, int] = field(default_factory=dict)
    """Multiplications a call in matrix products, by their precision."""

    def __post_init__(self) -> None:
        if self.flavour not in FLAVOURS:
            raise ValueError(f"flavour is {self.flavour!r}; it must be one of {list(FLAVOURS)}")


@dataclass(frozen=True)
class Here:
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


def check_files(directory: Path, manifest: Manifest, artifact: Artifact) -> PlanRecord:
    """Check the plan's file, and that its graph is the one it was built from; no GPU needed."""
    path = directory / artifact.file
    if path.exists() and path.stat().st_size == 0:
        raise WavestepError(f"{path} is empty; {rebuild_command(directory)}")
    try:
        manifests.verify(directory, manifest, artifact.file)
    except WavestepError as error:
        said = str(error).rsplit("; ", 1)[0]
        raise WavestepError(f"{said}; {rebuild_command(directory)}") from error
    record = read(directory, artifact)
    graph = directory / record.onnx
    if graph.exists() and manifests.record(graph).sha256 != record.onnx_sha256:
        raise WavestepError(
            f"{graph} has changed since {artifact.file} was built from it; "
            f"{rebuild_command(directory)}"
        )
    return record


def check_machine(path: Path, record: PlanRecord, here: Here, needed_bytes: int) -> None:
    """Raise EngineUnavailable unless the plan at `path` can run here, in one sentence."""
    product = PRODUCTS[record.flavour]
    remedy = rebuild_command(path.parent)
    built_on = record.gpu or "no GPU"
    if record.platform != platform.machine():
        raise EngineUnavailable(
            f"{path} was built on {record.platform}, this machine is {platform.machine()}; {remedy}"
        )
    if record.compute_capability not in (None, here.compute_capability):
        raise EngineUnavailable(
            f"{path} was built for {built_on} (compute capability {record.compute_capability}), "
            f"this is {here.gpu} ({here.compute_capability}); {remedy}"
        )
    same = record.version == here.version
    later = record.version_compatible and newer_or_same(here.version, record.version)
    if not (same or later):
        raise EngineUnavailable(
            f"{path} was built with {product} {record.version}, this is {product} {here.version}; "
            f"{remedy}"
        )
    if needed_bytes > here.available_bytes:
        raise EngineUnavailable(
            f"{path} needs {needed_bytes / _MIB:.0f} MiB of GPU memory, {here.gpu} has "
            f"{here.available_bytes / _MIB:.0f} MiB free; close other programs on it, or export "
            "with a smaller --batch"
        )


def rebuild_command(directory: Path) -> str:
    """What to type to build the plan anew from the graph that is kept beside it."""
    return f"rebuild it here with wn-run {directory} --rebuild"


def rebuild(path: Path) -> str:
    """Build the plan of a directory (or of a file in one) anew from its graph, for this machine.

    In a process of its own, whose progress is seen on stderr: the builder belongs to the export
    package, which nothing here may import, and holds GPU memory that the engine wants next.
    Returns a line for the user. Raises WavestepError with the builder's reason; the old plan is
    kept then.
    """
    directory = path if path.is_dir() else path.parent
    manifests.read(directory)
    command = [sys.executable, "-m", "wn_export.tensorrt.build", ANSWER, str(directory)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    answer = lines[-1] if lines else f"the builder ended with code {done.returncode}"
    if done.returncode:
        raise WavestepError(answer)
    return answer
