"""Libraries compiled ahead of time, for devices without a compiler; wn-export writes them."""

from __future__ import annotations

from pathlib import Path

from wn_runtime.engines import trust
from wn_runtime.engines.cache import entries as cache
from wn_runtime.engines.native import cpu, platforms
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
from wn_runtime.system import here


def precompile(
    spec: ModelSpec, precision: str, march: str, batch: int, out: Path, system: str = "linux"
) -> Artifact:
    """Compile the native engine of a model to the file `out`, for CPUs of `-march=<march>`.

    `march` is GCC's name of an architecture or of a core: `x86-64-v3`, `sapphirerapids`,
    `armv8.2-a+dotprod`, `cortex-a78ae`, `armv7-a+neon-vfpv4`, `rv64gc`; or `native`, with the
    system's own compiler, for this very machine. Raises EngineUnavailable without a compiler for
    it, WavestepError with the compiler's words when it fails.
    """
    shapes = Shapes(spec, precision, batch)
    compiler, target, system = compiler_for(march, system)
    compile_library(compiler, target, shapes, out)
    machine, features = cpu.required((*compiler.command, *target), compiler.environment())
    built = {
        "march": march,
        "system": system,
        "machine": machine,
        "features": list(features),
        "compiler": compiler.name,
        "shapes": shapes.digest(),
    }
    return Artifact(out.name, "native", precision, batch, built=built)


def compiler_for(march: str, system: str = "linux") -> tuple[Compiler, tuple[str, ...], str]:
    """The compiler here for CPUs of `-march=<march>`, its own flags for them, and their system.

    `native` is this very machine, whatever `system` says. Raises EngineUnavailable without one.
    """
    if march == "native":
        compiler = find_compiler()
        return compiler, compiler.native(), here.system()
    platform = platforms.find(system, platforms.machine_of(march))
    compiler = find_cross_compiler(platform)
    return compiler, compiler.target(march, platform), system


def unsuitable(artifact: Artifact) -> str | None:
    """Why this machine cannot run a library compiled ahead of time; None when it can."""
    machine, features = artifact.built.get("machine"), artifact.built.get("features")
    system = artifact.built.get("system", "linux")  # which none named as long as there was no other
    if system != here.system():
        return f"{artifact.file} is for {system}, this is {here.system()}"
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
