"""Which engine runs a model here: the one named, or the fastest that can."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from wn_runtime.arguments import integer, text
from wn_runtime.engines import measured, registry
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.kind import EngineKind, Request
from wn_runtime.engines.memory import check_streams
from wn_runtime.errors import EngineUnavailable, WavestepError, unknown
from wn_runtime.log import log
from wn_runtime.model.manifest import PRECISIONS, Artifact
from wn_runtime.model.package import ModelPackage, open_package
from wn_runtime.model.spec import MOST_STREAMS
from wn_runtime.model.work import Work

MOST_BATCH = MOST_STREAMS
MOST_THREADS = 1024
"""More than any machine that this was tried on has."""


def open_engine(
    path: str | Path,
    engine: str | None = None,
    precision: str | None = None,
    batch: int = 1,
    threads: int | None = None,
    say: Callable[[str], None] = lambda _reason: None,
) -> Engine:
    """Open a model directory, or one graph or plan in it, for `batch` streams from silence.

    Without `engine` the fastest that can run here is taken, by what wn-bench measured here and
    else by the engines' cost models, and `say` gets one line for each faster one that could not.
    A file names its engine and precision. threads: of the CPU; None: for one stream of the native
    engine as many as are fastest here, else 1. Raises WavestepError when what was asked for cannot
    be had: never another engine or precision in its place.
    """
    package, artifact = open_package(path)
    return open_in(package, artifact, engine, precision, batch, threads, say)


def open_in(
    package: ModelPackage,
    artifact: Artifact | None,
    engine: str | None = None,
    precision: str | None = None,
    batch: int = 1,
    threads: int | None = None,
    say: Callable[[str], None] = lambda _reason: None,
) -> Engine:
    """`open_engine` for a package that is open, and a file of it or none."""
    for name, value in (("engine", engine), ("precision", precision)):
        if value is not None:
            text(name, value)
    batch = integer("batch", batch, 1, MOST_BATCH)
    if threads is not None:
        threads = integer("threads", threads, 1, MOST_THREADS)
    check_streams(package.spec, batch)
    if artifact is not None:
        engine = _engine_of(package, artifact, engine)
        if precision not in (None, artifact.precision):
            raise WavestepError(
                f"{package.directory / artifact.file} is {artifact.precision}, not {precision}; "
                "name the directory to choose"
            )
        precision = artifact.precision

    def request(kind: EngineKind) -> Request:
        return Request(kind, package, artifact, precision, batch, threads)

    if engine is not None:
        kind = registry.find(engine)
        return kind.open(request(kind))
    if precision not in (None, *PRECISIONS):
        raise WavestepError(unknown("precision", precision, PRECISIONS))
    reasons = []
    for kind in by_speed(package, precision, batch, threads) or _lacking_files(precision):
        began = time.perf_counter()
        try:
            opened = kind.open(request(kind))
        except EngineUnavailable as unavailable:
            reasons.append(f"{kind.name}: {unavailable}")
            continue
        took = time.perf_counter() - began
        log.info(
            "opened %s %s, %s, in %.0f ms", opened.name, opened.precision, opened.note, 1000 * took
        )
        for reason in reasons:
            say(reason)
        return opened
    wanted = f" in {precision}" if precision else ""
    raise WavestepError(
        f"no engine can run {package.directory}{wanted}: "
        + ("; ".join(reasons) or "none that is tried unasked is here; name one with --engine")
    )


def by_speed(
    package: ModelPackage, precision: str | None, batch: int, threads: int | None
) -> list[EngineKind]:
    """The kinds that this directory has something for, the one that should be fastest first."""
    manifest = package.manifest
    work = Work.of(package.spec)
    kinds: list[tuple[float, EngineKind]] = []
    for kind in registry.ENGINES.values():
        if not kind.automatic or not kind.present():
            continue
        offered = {offer for offer, _ in kind.offered(manifest)}
        if not (offered if precision is None else offered & {precision}):
            continue
        at = precision or kind.default_precision(manifest)
        most = kind.most_own_threads if batch == 1 else 1
        counts = range(1, most + 1) if threads is None else [threads]
        known = [measured.step_us(package, kind.name, at, batch, n) for n in counts]
        us = min((each for each in known if each is not None), default=None)
        expected = kind.expected_us(work, at, batch, threads or 1)
        kinds.append((expected if us is None else us, kind))
        how = "by its cost model" if us is None else "measured here"
        log.info("%s %s: %.1f µs a step, %s", kind.name, at, kinds[-1][0], how)
    return [kind for _, kind in sorted(kinds, key=lambda entry: entry[0])]


def _lacking_files(precision: str | None) -> list[EngineKind]:
    """The kinds that could run it from files: opened, they tell how these are made."""
    return [
        kind
        for kind in registry.ENGINES.values()
        if kind.automatic and kind.present() and precision in (None, *kind.precisions)
    ]


def _engine_of(package: ModelPackage, artifact: Artifact, engine: str | None) -> str:
    """The engine for a named file: the one asked for, which must run it, or its own."""
    if engine is None:
        return artifact.engine
    kind = registry.find(engine)
    if artifact.engine not in (kind.name, kind.artifact):
        raise WavestepError(
            f"{package.directory / artifact.file} is for the {artifact.engine} engine, not for "
            f"{engine}; name the directory to use {engine}"
        )
    return engine
