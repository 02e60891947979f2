"""The native engine: wavenet.c, compiled for this CPU and this model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.engine import (
    Bias,
    Engine,
    EngineUnavailable,
    Request,
    State,
    check_bias,
    initial_state,
)
from wn_runtime.engines.native import compiler as build
from wn_runtime.engines.native import precompiled as ahead
from wn_runtime.engines.native.library import Library, compiled
from wn_runtime.engines.native.shapes import PRECISIONS, Shapes
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model import weights as canonical
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

_WIDEST = 16  # streams side by side in one call: more would not share a weight any better
T = TypeVar("T")


def open_engine(request: Request) -> Engine:
    """The engine for a request: compiled for this CPU or, without a compiler, compiled ahead.

    Raises EngineUnavailable when neither can be had.
    """
    directory, manifest = request.directory, request.manifest
    artifact, precision = request.artifact, request.precision or request.manifest.native_precision
    if precision not in PRECISIONS:
        raise EngineUnavailable(
            f"the native engine has no {precision}; its precisions are {', '.join(PRECISIONS)}"
        )
    if artifact is None:
        try:
            build.find_compiler()
        except EngineUnavailable:
            artifact = ahead.fitting(manifest, precision, request.batch)
            if artifact is None:
                raise
    manifests.verify(directory, manifest, manifests.WEIGHTS)
    weights = canonical.load(directory / manifests.WEIGHTS, manifest.spec)
    if artifact is None:
        return NativeEngine(manifest.spec, weights, precision, request.batch, request.threads)
    if request.batch % artifact.batch:
        raise WavestepError(
            f"{artifact.file} makes {artifact.batch} streams at a time; batch {request.batch} is "
            "no multiple of that"
        )
    library = ahead.load(directory, manifest, artifact)
    return NativeEngine(
        manifest.spec, weights, precision, request.batch, request.threads,
        lambda shapes: library, [artifact.batch] * (request.batch // artifact.batch),
    )  # fmt: skip


def compiler_for(*target: str) -> Callable[[Shapes], Library]:
    """Compiles libraries with these flags (`-march=…`), by default those for this CPU."""
    return lambda shapes: Library(compiled(shapes, target or None), shapes)


class NativeEngine:
    """B streams in groups; each group shares its weights' loads, and threads share the groups."""

    name = "native"

    def __init__(
        self,
        spec: ModelSpec,
        weights: Weights,
        precision: str,
        batch: int = 1,
        threads: int = 1,
        library: Callable[[Shapes], Library] | None = None,
        sizes: Sequence[int] | None = None,
    ) -> None:
        """`library` finds the code for some shapes; `sizes` are the groups' numbers of streams."""
        canonical.check(weights, spec, "weights")
        self.spec, self.precision, self.batch = spec, precision, batch
        threads = min(threads, batch)
        self.note = f"{threads} thread{'s' * (threads != 1)}"
        sizes = sizes or _groups(batch, threads)
        find = library or compiler_for()
        libraries = {size: find(Shapes(spec, precision, size)) for size in set(sizes)}
        models = {size: own.model(weights) for size, own in libraries.items()}
        ends = np.cumsum(sizes)
        self._groups = [
            _Group(libraries[size], models[size], slice(int(end) - size, int(end)))
            for size, end in zip(sizes, ends, strict=True)
        ]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self.reset()

    def generate(
        self, bias: Bias, uniforms: NDArray[np.float32], temperature: float = 1.0
    ) -> NDArray[np.int32]:
        """See `Engine.generate`."""
        self._check("uniforms", uniforms, bias)
        parts = self._each(lambda group: group.generate(bias, uniforms, temperature))
        return np.concatenate(parts, axis=1)

    def score(self, samples: NDArray[np.int32], bias: Bias) -> NDArray[np.float32]:
        """See `Engine.score`."""
        self._check("samples", samples, bias)
        return np.concatenate(self._each(lambda group: group.score(samples, bias)), axis=1)

    def snapshot(self) -> State:
        """See `Engine.snapshot`."""
        samples, lines = zip(*self._each(_Group.snapshot), strict=True)
        return State(np.concatenate(samples, axis=1), np.concatenate(lines, axis=1))

    def restore(self, state: State) -> None:
        """See `Engine.restore`."""
        state.check(self.spec, self.batch)
        self._each(lambda group: group.restore(state))

    def reset(self, streams: Sequence[int] | None = None) -> None:
        """See `Engine.reset`."""
        silence = initial_state(self.spec, self.batch)
        if streams is not None:
            state = self.snapshot()
            own = list(streams)
            state.samples[:, own], state.lines[:, own] = silence.samples[:, own], 0
            silence = state
        self.restore(silence)

    def close(self) -> None:
        """See `Engine.close`."""
        self._groups.clear()
        if self._pool:
            self._pool.shutdown()

    def _check(self, name: str, block: NDArray[Any], bias: Bias) -> None:
        if block.ndim != 2 or block.shape[1] != self.batch:
            raise WavestepError(
                f"{name} are {block.shape}; this engine takes (samples, {self.batch})"
            )
        check_bias(self.spec, self.batch, len(block), bias)

    def _each(self, call: Callable[[_Group], T]) -> list[T]:
        """The results of all groups. C runs without the interpreter's lock, so threads pay."""
        return list(self._pool.map(call, self._groups) if self._pool else map(call, self._groups))


class _Group:
    """Neighbouring streams that one call of the library moves on together."""

    def __init__(self, library: Library, model: NDArray[np.uint8], own: slice) -> None:
        self._library, self._model, self._own = library, model, own
        self._state = library.state()

    def generate(
        self, bias: Bias, uniforms: NDArray[np.float32], temperature: float
    ) -> NDArray[np.int32]:
        own = self._own
        bias = None if bias is None else bias[:, :, own]
        return self._library.generate(self._model, self._state, bias, uniforms[:, own], temperature)

    def score(self, samples: NDArray[np.int32], bias: Bias) -> NDArray[np.float32]:
        own = self._own
        bias = None if bias is None else bias[:, :, own]
        return self._library.score(self._model, self._state, bias, samples[:, own])

    def snapshot(self) -> tuple[NDArray[Any], NDArray[Any]]:
        return self._library.snapshot(self._state)

    def restore(self, state: State) -> None:
        own = self._own
        self._library.restore(self._state, state.samples[:, own], state.lines[:, own])


def _groups(batch: int, threads: int) -> list[int]:
    """Sizes of the groups: even, at most _WIDEST, and as many for each thread as for another."""
    each = -(-batch // (threads * _WIDEST))
    count = min(batch, threads * each)
    return [batch // count + (i < batch % count) for i in range(count)]
