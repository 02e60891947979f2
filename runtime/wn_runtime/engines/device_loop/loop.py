"""The generation loop on the GPU: the host hands over a block and takes its samples back.

    upload block ─► prepare ─► (graph on set 0, advance, graph on set 1, advance) × n ─► download

Even and odd calls are captured together as CUDA graphs and replayed; what cannot be captured is
enqueued call by call. The network itself is behind `StepBackend`: TensorRT, or ONNX Runtime as a
cross-check.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.device_loop.api import Graph
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.device_loop.memory import CONTROL, StepMemory
from wn_runtime.engines.engine import Bias, State, check_bias, initial_state
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec

CAPTURED_CALLS = (64, 2)
"""Lengths of the captured graphs, longest first; each even, to begin and end on set 0."""


class StepBackend(Protocol):
    """Executes a step graph on two sets of device memory."""

    title: str
    """`TensorRT 10.3.0`."""
    capturable: bool
    """Whether its work can be captured in a CUDA graph."""

    def bind(self, parity: int, addresses: dict[str, int]) -> None:
        """Where set `parity` has each input and output; called once a set."""
        ...

    def enqueue(self, parity: int, stream: int) -> None:
        """Put one call of the graph on set `parity` into the stream."""
        ...

    def close(self) -> None:
        """Give its memory back."""
        ...


class DeviceLoop:
    """The engine: a backend, its memory, and where the streams stand. See `engine.Engine`.

    `batch` streams of the `width` that the graph is built for; the others run idle.
    """

    def __init__(
        self,
        name: str,
        device: CudaDevice,
        backend: StepBackend,
        spec: ModelSpec,
        precision: str,
        batch: int,
        width: int,
        chunk: int = 1,
        cache: Path | None = None,
    ) -> None:
        self.name, self.precision, self.spec, self.batch = name, precision, spec, batch
        self._device, self._backend, self._width, self._chunk = device, backend, width, chunk
        self._memory = StepMemory(device, spec, width, precision, chunk, cache)
        for parity, arrays in enumerate(self._memory.sets):
            backend.bind(parity, {name: array.address for name, array in arrays.items()})
        self._graphs: list[tuple[int, Graph]] = []
        self._parity = self._t = 0
        how = self._capture()
        self.restore(initial_state(spec, batch))
        self.note = f"{device.name}, {backend.title}, {how}"

    def generate(
        self, bias: Bias, uniforms: NDArray[np.float32], temperature: float = 1.0
    ) -> NDArray[np.int32]:
        """See `Engine.generate`."""
        check_bias(self.spec, self.batch, len(uniforms), bias)
        inverse = 0.0 if temperature == 0 else 1 / temperature
        padded = self._padded(uniforms, 1)
        classes = np.empty((len(uniforms), self._width), np.int32)
        for rows in self._pieces(len(uniforms)):
            self._run(rows, bias, padded[rows], None, inverse)
            classes[rows] = self._device.download(self._memory.classes, rows.stop - rows.start)
        return classes[:, : self.batch]

    def score(self, samples: NDArray[np.int32], bias: Bias) -> NDArray[np.float32]:
        """See `Engine.score`."""
        check_bias(self.spec, self.batch, len(samples), bias)
        padded = self._padded(samples, 1)
        params = np.empty((len(samples), self.batch, self.spec.classes), np.float32)
        for rows in self._pieces(len(samples)):
            self._run(rows, bias, None, padded[rows], 1.0)
            found = self._device.download(self._memory.params, rows.stop - rows.start)
            params[rows] = found[:, : self.batch]
        return params

    def snapshot(self) -> State:
        """See `Engine.snapshot`."""
        window = self._device.download(self._memory.sets[self._parity]["sample"])  # [B, k0]
        rings = self._device.download(self._memory.lines).astype(np.float32)
        lines = np.empty_like(rings)
        for rows in self._layers():  # a ring's oldest row is the one to be written next
            lines[rows] = np.roll(rings[rows], -(self._t % (rows.stop - rows.start)), axis=0)
        return State(np.ascontiguousarray(window.T[:, : self.batch]), lines[:, : self.batch].copy())

    def restore(self, state: State) -> None:
        """See `Engine.restore`."""
        state.check(self.spec, self.batch)
        self._parity = self._t = 0  # at t = 0 the rings lie as `State.lines` does, oldest first
        window = self._padded(state.samples, 1).T
        self._device.upload(self._memory.sets[0]["sample"], window)
        self._device.upload(self._memory.lines, self._padded(state.lines, 1))

    def reset(self, streams: Sequence[int] | None = None) -> None:
        """See `Engine.reset`."""
        silent = initial_state(self.spec, self.batch)
        if streams is None:
            self.restore(silent)
            return
        state = self.snapshot()
        own = list(streams)
        state.samples[:, own] = silent.samples[:, own]
        state.lines[:, own] = 0
        self.restore(state)

    def close(self) -> None:
        """See `Engine.close`."""
        for _, graph in self._graphs:
            graph.close()
        self._graphs.clear()
        self._backend.close()
        self._device.close()

    def _run(
        self,
        rows: slice,
        bias: Bias,
        uniforms: NDArray[np.float32] | None,
        forced: NDArray[np.int32] | None,
        inverse_temperature: float,
    ) -> None:
        """Enqueue one piece of a block; the state moves on by its length."""
        steps = rows.stop - rows.start
        bias_rows = 0
        if bias is not None:
            own = self._padded(bias if len(bias) == 1 else bias[rows], 2)
            bias_rows, bias = len(own), own
        self._memory.set_block(bias, uniforms, forced)
        control = np.zeros(1, CONTROL)
        control["t"], control["total"], control["bias_rows"] = self._t, steps, bias_rows
        control["forced"] = forced is not None
        control["inverse_temperature"] = inverse_temperature
        self._memory.prepare(self._parity, control)
        calls = -(-steps // self._chunk)
        self._calls(calls)
        self._t += steps

    def _calls(self, left: int) -> None:
        while left:
            length, graph = 1, None
            if self._parity == 0:
                fitting = [entry for entry in self._graphs if entry[0] <= left]
                length, graph = fitting[0] if fitting else (1, None)
            if graph is None:
                self._call(self._parity)
            else:
                self._device.replay(graph)
            self._parity ^= length & 1
            left -= length

    def _call(self, parity: int) -> None:
        self._backend.enqueue(parity, self._device.handle)
        self._memory.advance(parity)

    def _capture(self) -> str:
        """Capture the graphs; returns how calls will go, for the note."""
        control = np.zeros(1, CONTROL)
        control["total"] = self._memory.rows
        self._memory.prepare(0, control)
        # TensorRT defers some of its set-up to the first enqueue, which no capture may contain.
        for parity in (0, 1):
            self._call(parity)
        self._device.synchronize()
        if not self._backend.capturable:
            return "enqueued call by call"
        try:
            for length in CAPTURED_CALLS:
                pairs = functools.partial(self._pairs, length)
                self._graphs.append((length, self._device.capture(pairs)))
        except Exception as error:
            self._graphs.clear()
            reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
            self._device.synchronize()
            return f"enqueued call by call: CUDA graph capture failed ({reason[0]})"
        return "CUDA graphs"

    def _pairs(self, calls: int) -> None:
        for call in range(calls):
            self._call(call & 1)

    def _pieces(self, steps: int) -> list[slice]:
        size = self._memory.rows
        return [slice(i, min(i + size, steps)) for i in range(0, steps, size)]

    def _layers(self) -> list[slice]:
        ends = np.cumsum([0, *((self.spec.kernel - 1) * d for d in self.spec.dilations)])
        return [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]

    def _padded(self, array: NDArray[Any], axis: int) -> NDArray[Any]:
        """Zeros for the streams of the graph that nobody asked for."""
        missing = self._width - self.batch
        if not missing:
            return array
        return np.pad(array, [(0, missing if i == axis else 0) for i in range(array.ndim)])


def check_width(batch: int, width: int, file: str) -> None:
    """Raise WavestepError where a graph is built for fewer streams than are wanted."""
    if batch > width:
        raise WavestepError(
            f"{file} is built for {width} stream{'s' * (width != 1)}, {batch} are wanted; "
            f"export it with wn-export --batch {batch}"
        )
