"""Opens the generator engine."""

from __future__ import annotations

from wn_runtime.engines import cores
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.generator.engine import GeneratorEngine
from wn_runtime.engines.generator.signature import GeneratorSignature
from wn_runtime.engines.kind import Request
from wn_runtime.engines.onnx.session import check_signature, open_session


def open_engine(request: Request) -> Engine:
    """The engine for a request. Raises EngineUnavailable without ONNX Runtime."""
    artifact = request.chosen_artifact("generator graph", "export it with", "--generator")
    threads, fewer = cores.within(request.threads or 1)
    package = request.package
    where = str(package.directory / artifact.file)
    session = package.shared(
        ("session", artifact.file, threads),
        lambda: open_session(package.read(artifact.file), where, threads=threads, loops=True),
    )
    check_signature(session, GeneratorSignature.of(package.spec, artifact.batch), where)
    engine = GeneratorEngine(session, package.spec, artifact.batch, request.batch, threads)
    engine.note += fewer
    return engine
