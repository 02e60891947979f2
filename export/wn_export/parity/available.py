"""Which engines and precisions of a model this machine can run, opened one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wn_runtime.engines import registry
from wn_runtime.engines.choice import open_in
from wn_runtime.engines.engine import Engine
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.package import ModelPackage


@dataclass(frozen=True)
class Candidate:
    """One engine at one precision."""

    engine: str
    precision: str
    artifact: Artifact | None
    """The file it runs; None for an engine made from the weights."""

    @property
    def batch(self) -> int:
        """Streams that it is built for."""
        return 1 if self.artifact is None else self.artifact.batch


@dataclass(frozen=True)
class Unavailable:
    """A candidate that cannot run here, and why."""

    engine: str
    precision: str
    reason: str


def candidates(package: ModelPackage, engine: str | None = None) -> list[Candidate]:
    """All that the model offers; with `engine`, that one's. In the registry's order.

    Raises WavestepError for an engine that does not exist or has nothing in the directory.
    """
    kinds = registry.ENGINES.values() if engine is None else [registry.find(engine)]
    found = [
        Candidate(kind.name, precision, artifact)
        for kind in kinds
        for precision, artifact in kind.offered(package.manifest)
    ]
    if engine is not None and not found:
        raise WavestepError(
            f"{package.directory} holds nothing for the {engine} engine; export it first"
        )
    return found


def opened(
    package: ModelPackage, engine: str | None = None, required: bool = False
) -> Iterator[Engine | Unavailable]:
    """Every candidate opened in turn, and closed before the next; or why it cannot be.

    With `required` an engine that cannot run here is an error. Raises WavestepError for a file
    that is missing, changed or broken.
    """
    for each in candidates(package, engine):
        try:
            # One thread, whatever wn-run takes: several make the same to the bit.
            running = open_in(
                package, each.artifact, each.engine, each.precision, each.batch, threads=1
            )
        except EngineUnavailable as reason:
            if required:
                raise
            yield Unavailable(each.engine, each.precision, str(reason))
            continue
        try:
            yield running
        finally:
            running.close()
