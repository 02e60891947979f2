"""The kernels of a named device's GPU in the model directory, for where no compiler is."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from wn_export.package.trusted import trust_own
from wn_runtime import installation
from wn_runtime.engines.cuda.choose import Choice, cost_of
from wn_runtime.engines.cuda.kind import CUDA
from wn_runtime.engines.cuda.precompile import choices, precompile
from wn_runtime.engines.device_loop import nvrtc, step_cubin
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest
from wn_targets.constraints import GpuCode
from wn_targets.precision import cuda_precision

NOT_AHEAD = "not compiled ahead"
"""In the line about code that a device's user will miss."""
BATCHES = (1, 8, 64)
"""Streams that a schedule is chosen for; what lies between takes the nearest that does best."""
NAME = re.compile(
    r"cuda\.sm_\d{2,3}\.[a-z0-9]{4}\.[a-z]{5,9}-\d{1,4}\.cubin|step_kernel\.sm_\d{2,3}\.cubin"
)


def add_cubins(
    directory: Path, manifest: Manifest, code: GpuCode, target: Path, loop: bool = False
) -> tuple[Manifest, str]:
    """Compile the cuda engine for a GPU, at its default precision and for few and many streams.

    loop: whether the step kernel of the device loop too, for plans. Returns the manifest with what
    was made, not written, and what happened in words: without an NVRTC that the device's driver
    goes with, the directory is complete all the same. What is compiled here, this user trusts;
    target: where `directory` is to be.
    """
    precision = cuda_precision(manifest)
    try:
        goes_with = _goes_with(code, nvrtc.version())
        made = [
            precompile(choice, code.gpu, _predicted(choice, code), code.target)
            for choice in choices(manifest.spec, precision, BATCHES, code.gpu)
        ]
        of_loop = [step_cubin.precompile(manifest.spec, code.gpu.compute_capability)] * loop
    except EngineUnavailable as reason:
        return manifest, f"cuda     {NOT_AHEAD} for {code.target}: {reason}"
    digests: dict[str, Path] = {}
    for artifact, text in [*made, *of_loop]:
        (directory / artifact.file).write_bytes(text)
        record = manifests.record(directory / artifact.file)
        manifest = manifests.with_artifact(manifest, artifact, record)
        digests[record.sha256] = target / artifact.file
    artifacts = [artifact for artifact, _ in made]
    built = [artifact.built for artifact in artifacts]
    names = ", ".join(artifact.file for artifact, _ in [*made, *of_loop])
    used = (
        f"{max(each['registers'] for each in built)} registers, "
        f"{max(each['spill_bytes'] for each in built)} bytes spilled"
    )
    line = f"cuda     {names}: by NVRTC {built[0]['nvrtc']}, {used}; {goes_with}"
    return with_default(manifest), line + trust_own(digests)


def with_default(manifest: Manifest) -> Manifest:
    """The manifest with a default precision for its cubins, where parity could not find one."""
    if not any(artifact.engine == CUDA.name for artifact in manifest.artifacts):
        return manifest
    default = {CUDA.name: cuda_precision(manifest), **manifest.default_precision}
    return dataclasses.replace(manifest, default_precision=default)


def _predicted(choice: Choice, code: GpuCode) -> dict[str, float]:
    """Streams to samples a second of each."""
    cycles = {batch: cost_of(choice.schedule, batch, code.gpu).cycles for batch in BATCHES}
    return {str(batch): round(1e6 * code.clock_mhz / each) for batch, each in cycles.items()}


def _goes_with(code: GpuCode, version: str) -> str:
    """Which drivers load what this NVRTC makes. Raises EngineUnavailable where the device has none.

    A driver loads cubins of its own major version of CUDA and of older ones.
    """
    major = int(version.split(".")[0])
    if not code.jetpacks:
        return f"for drivers of CUDA {major} and newer"
    newer = [name for name, cuda in code.jetpacks.items() if cuda >= major]
    older = [name for name in code.jetpacks if name not in newer]
    if not newer:
        raise EngineUnavailable(
            f"NVRTC {version} makes code of CUDA {major}, and {code.target} ends at JetPack "
            f"{older[-1]} (CUDA {code.jetpacks[older[-1]]}); in place of the newer, "
            f"{installation.install('gpu-cuda12', without='onnxruntime-gpu')}"
        )
    if not older:
        return f"for JetPack {newer[0]} and newer"
    return (
        f"for JetPack {newer[0]} and newer, not for {' and '.join(older)}, which take NVRTC 12 "
        "(the extra gpu-cuda12)"
    )
