"""The step kernel compiled ahead of time, for the device loop where NVRTC is not.

It is in a model directory beside what the loop runs; without one that fits, NVRTC compiles.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from wn_runtime.engines import trust
from wn_runtime.engines.device_loop.compiler import source_digest
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.device_loop.kernel import kernel_source
from wn_runtime.engines.device_loop.nvrtc import compile_ahead
from wn_runtime.model import manifest as manifests
from wn_runtime.model import strict
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec

ENGINE = "step-kernel"
"""What its entry in the manifest says; no engine of that name can be asked for."""


@dataclass(frozen=True)
class StepRecord:
    """`built` of its entry in the manifest."""

    compute_capability: str
    """`8.7`: of the GPUs that it runs on."""
    source_sha256: str
    """Of the text that was compiled."""
    nvrtc: str
    """Version of the compiler."""

    def __post_init__(self) -> None:
        if not self.nvrtc.partition(".")[0].isdigit():
            raise ValueError(f"nvrtc is {self.nvrtc[:20]!r}, not a version as 12.6")


def precompile(spec: ModelSpec, compute_capability: str) -> tuple[Artifact, bytes]:
    """Compile it for GPUs of one compute capability: the file's entry, and what is to be in it.

    Raises EngineUnavailable without NVRTC, and for a head without CUDA code.
    """
    text = kernel_source(spec.output)
    compiled = compile_ahead(text, compute_capability)
    record = StepRecord(compute_capability, source_digest(text), compiled.nvrtc)
    sm = compute_capability.replace(".", "")
    # One file has the kernels of both precisions, for any number of streams.
    built = dataclasses.asdict(record)
    artifact = Artifact(f"step_kernel.sm_{sm}.cubin", ENGINE, "fp32", 1, built=built)
    return artifact, compiled.code


def prepare(package: ModelPackage, device: CudaDevice) -> None:
    """Have the loop on `device` take the package's, where it fits and this user trusts it.

    Raises WavestepError for a file that is not the one in the manifest.
    """
    for artifact in package.manifest.artifacts:
        if artifact.engine != ENGINE:
            continue
        where = f"{package.directory / manifests.MANIFEST}: {artifact.file}"
        record = strict.parse(StepRecord, artifact.built, where)
        text = kernel_source(package.spec.output)
        fits = (
            record.compute_capability == device.compute_capability
            and int(record.nvrtc.partition(".")[0]) <= device.driver_cuda()[0]
            and record.source_sha256 == source_digest(text)
            and package.manifest.files[artifact.file].sha256 in trust.trusted()
        )
        if fits:
            path = str(package.directory / artifact.file)
            device.prepare(text, path, package.read(artifact.file))
