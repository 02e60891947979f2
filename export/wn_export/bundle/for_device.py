"""What of a model directory is for one device: its user is asked to trust no other code."""

from __future__ import annotations

import dataclasses

from wn_export.bundle.bundle import Bundle
from wn_export.tensorrt.build import TIMING_CACHE
from wn_runtime.engines.code import code_artifacts
from wn_runtime.engines.cuda.kind import CUDA
from wn_runtime.engines.device_loop import step_cubin
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.model.manifest import Artifact, Manifest


def for_device(manifest: Manifest, bundle: Bundle) -> Manifest:
    """The manifest without the code for other machines, and without plans, which are of one GPU."""
    code = code_artifacts(manifest)
    kept = tuple(each for each in manifest.artifacts if each not in code or _runs_on(each, bundle))
    gone = {each.file for each in manifest.artifacts if each not in kept} | {TIMING_CACHE}
    files = {name: record for name, record in manifest.files.items() if name not in gone}
    return dataclasses.replace(manifest, artifacts=kept, files=files)


def cuda_of(manifest: Manifest, bundle: Bundle) -> dict[str, int]:
    """Python of a JetPack to its CUDA, of those that run the kernels of the manifest."""
    made = [
        int(str(each.built["nvrtc"]).partition(".")[0])
        for each in manifest.artifacts
        if each.engine == CUDA.name
    ]
    return {
        each.python: each.cuda
        for each in bundle.systems
        if each.cuda is not None and made and each.cuda >= max(made)
    }


def _runs_on(artifact: Artifact, bundle: Bundle) -> bool:
    if artifact.engine == NATIVE.name:
        return artifact.built.get("machine") == bundle.machine
    if artifact.engine in (CUDA.name, step_cubin.ENGINE):
        return artifact.built.get("compute_capability") == bundle.compute_capability
    return False
