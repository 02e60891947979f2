"""Libraries compiled ahead, for a device that has no compiler: wn-export puts them in the model."""

from __future__ import annotations

import platform
from pathlib import Path

from wn_runtime.engines.engine import EngineUnavailable
from wn_runtime.engines.native import compiler as build
from wn_runtime.engines.native import cpu
from wn_runtime.engines.native.library import Library
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact, Manifest
from wn_runtime.model.spec import ModelSpec

CROSS = "aarch64-linux-gnu-gcc"
_ARM = ("arm", "cortex-", "neoverse-")


def compile_ahead(spec: ModelSpec, precision: str, march: str, batch: int, out: Path) -> Artifact:
    """Compile the native engine of a model to the file `out`, for CPUs of `-march=<march>`.

    `march` is the compiler's name of an architecture: `native`, `x86-64-v3`, `sapphirerapids`,
    `armv8.2-a+dotprod`; for Arm on another machine the compiler is aarch64-linux-gnu-gcc. Raises
    EngineUnavailable without that compiler, WavestepError with the compiler's words when it fails.
    """
    shapes = Shapes(spec, precision, batch)
    arm = march.startswith(_ARM)
    here = platform.machine() in ("aarch64", "arm64")
    compiler = build.find_compiler(CROSS) if arm and not here else build.find_compiler()
    option = "mcpu" if march.startswith(_ARM[1:]) else "march"
    target = cpu.native_flags() if march == "native" else (f"-{option}={march}",)
    build.compile_library(compiler, target, shapes, out)
    machine, features = cpu.required((*compiler.command, *target))
    built = {
        "march": march,
        "machine": machine,
        "features": list(features),
        "compiler": compiler.name,
        "shapes": shapes.digest(),
    }
    return Artifact(out.name, "native", precision, batch, built=built)


def misfit(artifact: Artifact) -> str | None:
    """Why this machine cannot run a library compiled ahead; None when it can."""
    machine, features = artifact.built.get("machine"), artifact.built.get("features")
    if machine != platform.machine():
        return f"{artifact.file} is for {machine}, this is {platform.machine()}"
    if not isinstance(features, list):
        return f"{artifact.file} does not say what CPU it was compiled for"
    missing = sorted(set(map(str, features)) - cpu.features())
    if missing:
        march = artifact.built.get("march")
        return f"{artifact.file} is for {march}; this CPU has no {', '.join(missing)}"
    return None


def load(directory: Path, manifest: Manifest, artifact: Artifact) -> Library:
    """The library of an artifact, once its checksum and its CPU have been checked."""
    reason = misfit(artifact)
    if reason:
        raise EngineUnavailable(f"{reason}; use another engine, or export again for this machine")
    manifests.verify(directory, manifest, artifact.file)
    shapes = Shapes(manifest.spec, artifact.precision, artifact.batch)
    return Library((directory / artifact.file).resolve(), shapes)


def fitting(manifest: Manifest, precision: str, batch: int) -> Artifact | None:
    """The widest library for this machine and precision whose batch divides `batch`."""
    those = [
        artifact
        for artifact in manifest.artifacts
        if (artifact.engine, artifact.precision) == ("native", precision)
        and artifact.batch > 0
        and batch % artifact.batch == 0
        and misfit(artifact) is None
    ]
    return max(those, key=lambda artifact: artifact.batch, default=None)
