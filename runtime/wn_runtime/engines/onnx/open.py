"""Opens the onnx and onnx-cuda engines."""

from __future__ import annotations

from wn_runtime.engines import cores
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.kind import Request
from wn_runtime.engines.onnx.engine import OnnxEngine
from wn_runtime.engines.onnx.session import CPU, CUDA, check_signature, open_session
from wn_runtime.engines.step_signature import StepSignature


def open_engine(request: Request) -> Engine:
    """The engine for a request. Raises EngineUnavailable without ONNX Runtime or its provider."""
    artifact = request.chosen_artifact("step graph", "export it with")
    threads, fewer = cores.within(request.threads or 1)
    package, provider = request.package, CUDA if request.kind.on_gpu else CPU
    where = str(package.directory / artifact.file)
    session = package.shared(
        ("session", artifact.file, provider, threads),
        lambda: open_session(package.read(artifact.file), where, provider, threads),
    )
    signature = StepSignature.of(package.spec, artifact.precision, artifact.batch)
    check_signature(session, signature, where)
    engine = OnnxEngine(
        session,
        package.spec,
        artifact.precision,
        artifact.batch,
        request.batch,
        threads,
        provider,
    )
    if provider == CPU:
        engine.note += fewer
    return engine
