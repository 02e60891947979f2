"""Libraries compiled ahead of time, for devices without a compiler; wn-export writes them."""

from __future__ import annotations

from pathlib import Path

from wn_runtime.engines import trust
from wn_runtime.engines.cache import entries as cache
from wn_runtime.engines.native import cpu
from wn_runtime.engines.native.compiler import (
    Compiler,
    compile_library,
    find_compiler,
    find_cross_compiler,
)
from wn_runtime.engines.native.library import LIBRARY, Library
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model.manifest import Artifact, Manifest
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec

_ARM = ("arm", "cortex-", "neoverse-")


def precompile(spec: ModelSpec, precision: str, march: str, batch: int, out: Path) -> Artifact:
    """Compile the native engine of a model to the file `out`, for CPUs of `-march=<march>`.

    `march` is GCC's name of an architecture or of an Arm core: `native`, `x86-64-v3`,
    `sapphirerapids`, `armv8.2-a+dotprod`, `cortex-a78ae`. Raises EngineUnavailable without a
    compiler for it, WavestepError with the compiler's words when it fails.
    """
    shapes = Shapes(spec, precision, batch)
    compiler = compiler_for(march)
    target = target_of(march, compiler)
    compile_library(compiler, target, shapes, out)
    machine, features = cpu.required((*compiler.command, *target), compiler.environment())
    built = {
        "march": march,
        "machine": machine,
        "features": list(features),
        "compiler": compiler.name,
        "shapes": shapes.digest(),
    }
    return Artifact(out.name, "native", precision, batch, built=built)


def machine_of(march: str) -> str:
    """The architecture that `-march=<march>` is of, as Linux calls it."""
    if march == "native":
        return cpu.machine()
    return "aarch64" if march.startswith(_ARM) else "x86_64"


def compiler_for(march: str) -> Compiler:
    """The compiler here for CPUs of `-march=<march>`. Raises EngineUnavailable without one."""
    machine = machine_of(march)
    return find_compiler() if machine == cpu.machine() else find_cross_compiler(machine)


def target_of(march: str, compiler: Compiler) -> tuple[str, ...]:
    """The flags for CPUs of `-march=<march>`, in the compiler's own words."""
    return cpu.native_flags() if march == "native" else compiler.target(march, machine_of(march))


def unsuitable(artifact: Artifact) -> str | None:
    """Why this machine cannot run a library compiled ahead of time; None when it can."""
    machine, features = artifact.built.get("machine"), artifact.built.get("features")
    if machine != cpu.machine():
        return f"{artifact.file} is for {machine}, this is {cpu.machine()}"
    if not isinstance(features, list):
        return f"{artifact.file} does not say what CPU it was compiled for"
    missing = sorted(set(map(str, features)) - cpu.features())
    if missing:
        march = artifact.built.get("march")
        return f"{artifact.file} is for {march}; this CPU has no {', '.join(missing)}"
    return None


def load(package: ModelPackage, artifact: Artifact) -> Library:
    """The library of an artifact, where its CPU is this one and its code is trusted.

    What is loaded is a copy that only this user can write, of the bytes whose digest was trusted:
    the file itself may be exchanged meanwhile. Raises Untrusted before any of it is loaded.
    """
    reason = unsuitable(artifact)
    if reason:
        raise EngineUnavailable(f"{reason}; use another engine, or export again for this machine")
    code = package.read(artifact.file)
    digest = package.manifest.files[artifact.file].sha256
    trust.require(digest, package.directory / artifact.file)
    shapes = Shapes(package.spec, artifact.precision, artifact.batch)
    entry = cache.Entry("ahead", LIBRARY, (digest,))
    return cache.load(entry, lambda out: _write(out, code), lambda path: Library(path, shapes))


def _write(path: Path, code: bytes) -> None:
    path.write_bytes(code)


def fitting(manifest: Manifest, precision: str, batch: int) -> Artifact | None:
    """The widest library for this machine and precision whose batch divides `batch`."""
    those = [
        artifact
        for artifact in manifest.artifacts
        if (artifact.engine, artifact.precision) == ("native", precision)
        and artifact.batch > 0
        and batch % artifact.batch == 0
        and unsuitable(artifact) is None
    ]
    return max(those, key=lambda artifact: artifact.batch, default=None)
