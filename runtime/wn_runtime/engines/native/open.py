"""Opens the native engine: compiled for this CPU or, without a compiler, compiled ahead of time."""

from __future__ import annotations

from collections.abc import Callable

from wn_runtime.engines import cores
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.kind import Request
from wn_runtime.engines.native import precompiled, tune
from wn_runtime.engines.native.compiler import find_compiler
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.library import Library, compiled
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.engines.native.streams import Packed
from wn_runtime.errors import EngineUnavailable, WavestepError


def open_engine(request: Request) -> Engine:
    """The engine for a request; its packed weights are those of the package's other engines.

    Raises EngineUnavailable where there is neither a compiler nor a library compiled ahead of time.
    """
    package, artifact = request.package, request.artifact
    precision = request.chosen_precision()
    if artifact is None:
        try:
            find_compiler()
        except EngineUnavailable:
            artifact = precompiled.fitting(package.manifest, precision, request.batch)
            if artifact is None:
                raise

    def packed(library: Library) -> Packed:
        key = ("native", precision, library.tiles)
        return package.shared(key, lambda: library.model(package.weights))

    def found(shapes: Shapes) -> Library:
        return package.shared(("native", shapes.digest()), lambda: compiled(shapes))

    sizes = None
    library: Callable[[Shapes], Library] = found
    if artifact is not None:
        if request.batch % artifact.batch:
            raise WavestepError(
                f"{artifact.file} makes {artifact.batch} streams at a time; batch {request.batch} "
                "is no multiple of that"
            )
        ahead = precompiled.load(package, artifact)
        library = lambda _shapes: ahead  # noqa: E731
        sizes = [artifact.batch] * (request.batch // artifact.batch)

    def opened(threads: int) -> NativeEngine:
        return NativeEngine(
            package.spec, package.weights, precision, request.batch, threads, library, sizes, packed
        )

    if request.threads is None:
        return tune.fastest(package, precision, opened) if request.batch == 1 else opened(1)
    threads, fewer = cores.within(request.threads)
    engine = opened(threads)
    engine.note += fewer
    return engine
