"""Streams through a graph that takes a fixed number of them: in turn, where there are more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.engine import Engine, of_streams, padded
from wn_runtime.engines.onnx.session import telling
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import State


class Lane(Protocol):
    """The streams of one call of the graph, and their state."""

    def generate(
        self, bias: Bias, uniforms: NDArray[np.int32], inverse: NDArray[np.float32]
    ) -> Samples:
        """See `Engine._generate`."""

    def score(self, samples: Samples, bias: Bias) -> NDArray[np.float32]:
        """See `Engine._score`."""

    def snapshot(self) -> State:
        """See `Engine._snapshot`."""

    def restore(self, state: State) -> None:
        """See `Engine._restore`."""


L = TypeVar("L", bound=Lane)


class LanesEngine(Engine, Generic[L]):
    """B streams through a graph of b: in turn, b at a time, where B is the larger."""

    GRAPH = "the step graph"
    """What the graph is called in messages."""

    def __init__(
        self,
        name: str,
        precision: str,
        spec: ModelSpec,
        batch: int,
        note: str,
        width: int,
        make: Callable[[], L],
    ) -> None:
        """width: b, the streams of a lane; make: a new one."""
        super().__init__(name, precision, spec, batch, note)
        self._width = width
        self._lanes = [make() for _ in range(-(-batch // width))]

    def _close(self) -> None:
        self._lanes.clear()

    def _generate(
        self, bias: Bias, uniforms: NDArray[np.int32], inverse_temperature: NDArray[np.float32]
    ) -> Samples:
        bias, uniforms = self._padded(bias, 2), self._padded(uniforms, 1)
        inverse = self._padded(inverse_temperature, 0)
        with telling(self.GRAPH):
            parts = [
                lane.generate(of_streams(bias, streams), uniforms[:, streams], inverse[streams])
                for lane, streams in self._each()
            ]
        return np.concatenate(parts, axis=1)[:, : self.batch]

    def _score(self, samples: Samples, bias: Bias) -> NDArray[np.float32]:
        bias, samples = self._padded(bias, 2), self._padded(samples, 1)
        with telling(self.GRAPH):
            parts = [
                lane.score(samples[:, streams], of_streams(bias, streams))
                for lane, streams in self._each()
            ]
        return np.concatenate(parts, axis=1)[:, : self.batch]

    def _snapshot(self) -> State:
        lanes = [lane.snapshot() for lane in self._lanes]
        return {
            name: np.concatenate([lane[name] for lane in lanes], axis=1)[:, : self.batch].copy()
            for name in lanes[0]
        }

    def _restore(self, state: State) -> None:
        arrays = {name: self._padded(array, 1) for name, array in state.items()}
        for lane, streams in self._each():
            lane.restore({name: array[:, streams] for name, array in arrays.items()})

    def _each(self) -> list[tuple[L, slice]]:
        return [
            (lane, slice(i * self._width, (i + 1) * self._width))
            for i, lane in enumerate(self._lanes)
        ]

    def _padded(self, array: Any, axis: int) -> Any:
        return padded(array, axis, len(self._lanes) * self._width)


def threads_stayed_behind() -> WavestepError:
    """What is said in a process that was forked off, where ONNX Runtime has threads."""
    return WavestepError(
        "ONNX Runtime's threads are not in this process, which was forked off after the model "
        "was opened; open it here"
    )
