"""Which engines and precisions of a model directory this machine can run, opened one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wn_runtime.engines.engine import ENGINES, Engine, EngineUnavailable, open_engine
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.spec import ModelSpec

if TYPE_CHECKING:
    from wn_export.parity.chunk_engine import ChunkEngine

FROM_WEIGHTS = ("fp32", "bf16", "int8")
"""Precisions of an engine that is made from the weights, without an artifact."""


@dataclass(frozen=True)
class Candidate:
    """One engine at one precision, for as many streams as its artifact is built for."""

    engine: str
    precision: str
    batch: int
    path: Path
    """The artifact, or the directory for an engine made from the weights."""


@dataclass(frozen=True)
class Missing:
    """A candidate that cannot run here, and why."""

    engine: str
    precision: str
    reason: str


def candidates(directory: Path, engine: str | None = None) -> list[Candidate]:
    """All that the directory offers; with `engine`, that one's. In the manifest's order.

    Raises WavestepError for an engine that does not exist or has nothing in the directory.
    """
    if engine is not None and engine not in ENGINES:
        raise WavestepError(unknown("engine", engine, ENGINES, "the engines are"))
    manifest = manifests.read(directory)
    found = []
    for name, kind in ENGINES.items():
        if engine not in (None, name):
            continue
        if kind.runs is None:
            found += [Candidate(name, precision, 1, directory) for precision in FROM_WEIGHTS]
        found += [
            Candidate(name, artifact.precision, artifact.batch, directory / artifact.file)
            for artifact in manifest.artifacts
            if artifact.engine == kind.runs and not _is_chunk(artifact)
        ]
    if engine is not None and not found:
        raise WavestepError(f"{directory} holds nothing for the {engine} engine; export it first")
    return found


def opened(
    directory: Path, engine: str | None = None, required: bool = False
) -> Iterator[Engine | ChunkEngine | Missing]:
    """Every candidate opened in turn, and closed before the next; or why it cannot be.

    Chunk graphs, which are for other hosts and no engine of ours runs, come with `onnx`. With
    `required` an engine that cannot run here is an error. Raises WavestepError for a file that
    is missing, changed or broken.
    """
    for candidate in candidates(directory, engine):
        try:
            running = open_engine(
                candidate.path, candidate.engine, candidate.precision, batch=candidate.batch
            )
        except EngineUnavailable as reason:
            if required:
                raise
            yield Missing(candidate.engine, candidate.precision, str(reason))
            continue
        try:
            yield running
        finally:
            running.close()
    if engine in (None, "onnx"):
        manifest = manifests.read(directory)
        for artifact in filter(_is_chunk, manifest.artifacts):
            manifests.verify(directory, manifest, artifact.file)
            yield from _chunk(directory / artifact.file, artifact, manifest.spec)


def _chunk(path: Path, artifact: Artifact, spec: ModelSpec) -> Iterator[ChunkEngine | Missing]:
    from wn_export.parity.chunk_engine import ChunkEngine

    try:
        running = ChunkEngine(path, artifact, spec)
    except EngineUnavailable as reason:
        yield Missing("onnx", artifact.precision, str(reason))
        return
    try:
        yield running
    finally:
        running.close()


def _is_chunk(artifact: Artifact) -> bool:
    return artifact.engine == "onnx" and artifact.steps_per_call > 1
