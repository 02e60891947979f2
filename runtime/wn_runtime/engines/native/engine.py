"""The native engine: wavenet.c, compiled for this CPU and this model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import AnyBias
from wn_runtime.engines.engine import Engine, of_streams, threads_note
from wn_runtime.engines.native.library import Library, compiled
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.engines.native.streams import Packed, Streams
from wn_runtime.heads.head import Samples
from wn_runtime.model import state as states
from wn_runtime.model import weights as canonical
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import State
from wn_runtime.model.weights import Weights

_WIDEST = 16  # streams side by side in one call: more would not share a weight any better
T = TypeVar("T")
Pack = Callable[[Library], Packed]


class NativeEngine(Engine):
    """B streams in groups; each group shares its weights' loads, and threads share the groups.

    Where there are more threads than streams, those of a stream share its work.
    """

    mixes = True

    def __init__(
        self,
        spec: ModelSpec,
        weights: Weights,
        precision: str,
        batch: int = 1,
        threads: int = 1,
        library: Callable[[Shapes], Library] = compiled,
        sizes: Sequence[int] | None = None,
        packed: Pack | None = None,
    ) -> None:
        """Raises EngineUnavailable where there is no code for these shapes.

        library: finds the code for some shapes. sizes: the groups' numbers of streams. packed:
        finds the packed weights for a library, where other engines have them too.
        """
        canonical.check(weights, spec, "weights")
        callers = min(threads, batch)
        sizes = sizes or _groups(batch, callers)
        libraries = {size: library(Shapes(spec, precision, size)) for size in set(sizes)}
        find = packed or (lambda library: library.model(weights))
        models = {size: find(code) for size, code in libraries.items()}
        helpers = min(threads // callers - 1, *(code.most_helpers for code in libraries.values()))
        threads = callers * (1 + helpers)
        super().__init__("native", precision, spec, batch, threads_note(threads))
        self.threads = threads
        ends = np.cumsum(sizes)
        self._groups = [
            _Group(libraries[size].streams(models[size], helpers), slice(int(end) - size, int(end)))
            for size, end in zip(sizes, ends, strict=True)
        ]
        self._callers = callers
        self._pool = ThreadPoolExecutor(callers) if callers > 1 else None

    @property
    def missed(self) -> int:
        """Shares that helpers came too late for: of a sample each has one (source/team.h)."""
        return sum(group.missed for group in self._groups)

    def _close(self) -> None:
        for group in self._groups:
            group.close()
        self._groups.clear()
        if self._pool:
            self._pool.shutdown()

    def _forked(self) -> None:
        if self._pool:  # its threads stayed behind
            self._pool = ThreadPoolExecutor(self._callers)
        for group in self._groups:
            group.forked()

    def _generate(
        self, bias: AnyBias, uniforms: NDArray[np.int32], inverse_temperature: NDArray[np.float32]
    ) -> Samples:
        parts = self._each(lambda group: group.generate(bias, uniforms, inverse_temperature))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _score(self, samples: Samples, bias: AnyBias) -> NDArray[np.float32]:
        return np.concatenate(self._each(lambda group: group.score(samples, bias)), axis=1)

    def _snapshot(self) -> State:
        parts = self._each(_Group.snapshot)
        return {name: np.concatenate([p[name] for p in parts], axis=1) for name in parts[0]}

    def _restore(self, state: State) -> None:
        self._each(lambda group: group.restore(state))

    def _each(self, call: Callable[[_Group], T]) -> list[T]:
        """The results of all groups. C runs without the interpreter's lock, so threads pay."""
        return list(self._pool.map(call, self._groups) if self._pool else map(call, self._groups))


class _Group:
    """Neighbouring streams of the batch that one call moves on together."""

    def __init__(self, streams: Streams, slots: slice) -> None:
        self._streams, self._slots = streams, slots

    @property
    def missed(self) -> int:
        return self._streams.missed

    def close(self) -> None:
        self._streams.close()

    def forked(self) -> None:
        self._streams.forked()

    def generate(
        self, bias: AnyBias, uniforms: NDArray[np.int32], inverse: NDArray[np.float32]
    ) -> Samples:
        slots = self._slots
        return self._streams.generate(of_streams(bias, slots), uniforms[:, slots], inverse[slots])

    def score(self, samples: Samples, bias: AnyBias) -> NDArray[np.float32]:
        return self._streams.score(of_streams(bias, self._slots), samples[:, self._slots])

    def snapshot(self) -> State:
        return self._streams.snapshot()

    def restore(self, state: State) -> None:
        slots = range(self._slots.start, self._slots.stop)
        self._streams.restore(states.take(state, slots))


def _groups(batch: int, threads: int) -> list[int]:
    """Sizes of the groups: even, at most _WIDEST, and as many for each thread as for another."""
    each = -(-batch // (threads * _WIDEST))
    count = min(batch, threads * each)
    return [batch // count + (i < batch % count) for i in range(count)]
