"""The generation loop on the GPU: the host hands over a block and takes its samples back.

    upload block ─► prepare ─► (graph on set 0, advance, graph on set 1, advance) × n ─► download

Even and odd calls are captured together as CUDA graphs and replayed; what cannot be captured is
enqueued call by call. The network itself is behind `StepBackend`: TensorRT, or ONNX Runtime as a
cross-check.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.device_loop.api import Graph
from wn_runtime.engines.device_loop.device import CudaDevice, DeviceLost
from wn_runtime.engines.device_loop.memory import CONTROL, StepMemory
from wn_runtime.engines.engine import Engine, padded
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import DELAY_LINES, SAMPLES, State

CAPTURED_CALLS = (64, 2)
"""Lengths of the captured graphs, longest first; each even, to begin and end on set 0."""


class StepBackend(Protocol):
    """Executes a step graph on two sets of device memory."""

    title: str
    """`TensorRT 10.3.0`."""

    @property
    def capturable(self) -> bool:
        """Whether its work can be captured in a CUDA graph; asked after a first call."""
        ...

    def bind(self, buffers: int, addresses: dict[str, int]) -> None:
        """Where set `buffers` has each input and output; called once a set."""
        ...

    def enqueue(self, buffers: int, stream: int, /) -> None:
        """Put one call of the graph on set `buffers` into the stream."""
        ...

    def close(self) -> None:
        """Give its memory back."""
        ...


class DeviceLoop(Engine):
    """The engine: a backend, its memory, and where the streams stand.

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
    ) -> None:
        super().__init__(name, precision, spec, batch, "")
        self._device, self._backend, self._width = device, backend, width
        self._memory = StepMemory(device, spec, width, precision)
        for buffers, arrays in enumerate(self._memory.sets):
            backend.bind(buffers, {name: array.address for name, array in arrays.items()})
        self._graphs: list[tuple[int, Graph]] = []
        self._buffers = self._t = 0
        how = self._capture()
        self.reset()
        self.note = f"{device.name}, {backend.title}, {how}"

    def _forked(self) -> None:
        raise WavestepError(
            "the GPU was opened before this process was forked off; open the model here"
        )

    def _close(self) -> None:
        with contextlib.suppress(DeviceLost):
            self._device.make_current()  # what the graphs and the backend hold is this GPU's
        for _, graph in self._graphs:
            graph.close()
        self._graphs.clear()
        self._backend.close()
        self._device.close()

    def _generate(
        self, bias: Bias, uniforms: NDArray[np.int32], inverse_temperature: NDArray[np.float32]
    ) -> Samples:
        steps = len(uniforms)
        uniforms = padded(uniforms, 1, self._width)
        inverse = padded(inverse_temperature, 0, self._width)
        samples = np.empty((steps, self._width), self.spec.output.sample_dtype)
        for rows in self._pieces(steps):
            self._run(rows, steps, bias, uniforms=uniforms[rows], inverse=inverse)
            samples[rows] = self._device.download(self._memory.samples, rows.stop - rows.start)
        return samples[:, : self.batch]

    def _score(self, samples: Samples, bias: Bias) -> NDArray[np.float32]:
        steps = len(samples)
        samples = padded(samples, 1, self._width)
        params = np.empty((steps, self.batch, self.spec.output.params), np.float32)
        for rows in self._pieces(steps):
            self._run(rows, steps, bias, forced=samples[rows])
            found = self._device.download(self._memory.params, rows.stop - rows.start)
            params[rows] = found[:, : self.batch]
        return params

    def _snapshot(self) -> State:
        window = self._device.download(self._memory.sets[self._buffers]["sample"])  # [B, k0]
        rings = self._device.download(self._memory.lines).astype(np.float32)
        lines = np.empty_like(rings)
        for rows in self._layers():  # a ring's oldest row is the one to be written next
            lines[rows] = np.roll(rings[rows], -(self._t % (rows.stop - rows.start)), axis=0)
        streams = slice(self.batch)
        return {SAMPLES: window.T[:, streams].copy(), DELAY_LINES: lines[:, streams].copy()}

    def _restore(self, state: State) -> None:
        self._buffers = self._t = 0  # at t = 0 the rings lie as the state does, oldest first
        window = padded(state[SAMPLES], 1, self._width).T
        self._device.upload(self._memory.sets[0]["sample"], window)
        self._device.upload(self._memory.lines, padded(state[DELAY_LINES], 1, self._width))

    def _run(
        self,
        rows: slice,
        steps: int,
        bias: Bias,
        uniforms: NDArray[np.int32] | None = None,
        inverse: NDArray[np.float32] | None = None,
        forced: Samples | None = None,
    ) -> None:
        """Enqueue the piece `rows` of a block of `steps`; the state moves on by its length."""
        control = np.zeros(1, CONTROL)
        if bias is not None:
            held = steps // len(bias)
            control["held"], control["offset"] = held, rows.start % held
            bias = padded(bias[rows.start // held : -(-rows.stop // held)], 2, self._width)
        self._memory.set_block(bias, uniforms, inverse, forced)
        count = rows.stop - rows.start
        control["t"], control["total"], control["forced"] = self._t, count, forced is not None
        self._memory.prepare(self._buffers, control)
        self._calls(count)
        self._t += count

    def _calls(self, left: int) -> None:
        while left:
            length, graph = 1, None
            if self._buffers == 0:
                fitting = [entry for entry in self._graphs if entry[0] <= left]
                length, graph = fitting[0] if fitting else (1, None)
            if graph is None:
                self._call(self._buffers)
            else:
                self._device.replay(graph)
            self._buffers ^= length & 1
            left -= length

    def _call(self, buffers: int) -> None:
        self._backend.enqueue(buffers, self._device.handle)
        self._memory.advance(buffers)

    def _capture(self) -> str:
        """Capture the graphs; returns how calls will go, for the note."""
        control = np.zeros(1, CONTROL)
        control["total"] = self._memory.rows
        self._memory.prepare(0, control)
        # TensorRT defers some of its set-up to the first enqueue, which no capture may contain.
        for buffers in (0, 1):
            self._call(buffers)
        self._device.synchronize()
        if not self._backend.capturable:
            return "enqueued call by call"
        try:
            for length in CAPTURED_CALLS:
                pairs = functools.partial(self._pairs, length)
                self._graphs.append((length, self._device.capture(pairs)))
        except Exception as error:
            for _, graph in self._graphs:
                graph.close()
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


def check_width(batch: int, width: int, file: str) -> None:
    """Raise WavestepError where a graph is built for fewer streams than are wanted."""
    if batch > width:
        raise WavestepError(
            f"{file} is built for {width} stream{'s' * (width != 1)}, {batch} are wanted; "
            f"export it with wn-export --batch {batch}"
        )
