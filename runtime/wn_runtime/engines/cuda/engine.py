"""The CUDA engine: blocks of samples of many streams, each by one launch of a fused kernel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.cuda.memory import Streams
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.engine import Engine, padded
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model.state import State


class StreamsEngine(Engine):
    """B streams in groups, a thread block or a cluster of them each; the last may run part idle."""

    def __init__(
        self,
        name: str,
        device: CudaDevice,
        schedule: Schedule,
        batch: int,
        streams: Streams,
        note: str,
    ) -> None:
        """streams: room for `batch` or more of them. Owns the device."""
        super().__init__(name, schedule.precision, schedule.spec, batch, note)
        self._device, self._streams = device, streams

    def _forked(self) -> None:
        raise WavestepError(
            "the GPU was opened before this process was forked off; open the model here"
        )

    def _close(self) -> None:
        self._streams.close()
        self._device.close()

    def reset(self, slots: Sequence[int] | None = None) -> None:
        """See `Engine.reset`; of all streams at once nothing travels."""
        if slots is not None:
            return super().reset(slots)
        self._check_open()
        self._streams.silence()
        return None

    def _generate(
        self, bias: Bias, uniforms: NDArray[np.int32], inverse_temperature: NDArray[np.float32]
    ) -> Samples:
        streams, steps = self._streams, len(uniforms)
        uniforms = padded(uniforms, 1, streams.width)
        inverse = padded(inverse_temperature, 0, streams.width)
        samples = np.empty((steps, self.batch), self.spec.output.sample_dtype)
        for rows in self._pieces(steps, bias, streams.steps):
            made = streams.generate(*self._held(bias, steps, rows), uniforms[rows], inverse)
            samples[rows] = made[:, : self.batch]
        return samples

    def _score(self, samples: Samples, bias: Bias) -> NDArray[np.float32]:
        streams, steps = self._streams, len(samples)
        samples = padded(samples, 1, streams.width)
        params = np.empty((steps, self.batch, self.spec.output.params), np.float32)
        for rows in self._pieces(steps, bias, streams.scored):
            found = streams.score(samples[rows], *self._held(bias, steps, rows))
            params[rows] = found[:, : self.batch]
        return params

    def _snapshot(self) -> State:
        return self._streams.snapshot(self.batch)

    def _restore(self, state: State) -> None:
        self._streams.restore(state)

    def _held(self, bias: Bias, steps: int, rows: slice) -> tuple[Bias, int, int]:
        """The conditioning of a piece of a block: its rows, for how long each, and the offset."""
        if bias is None:
            return None, 0, 0
        held = steps // len(bias)
        piece = bias[rows.start // held : -(-rows.stop // held)]
        return padded(piece, 2, self._streams.width), held, rows.start % held

    def _pieces(self, steps: int, bias: Bias, most: int) -> Iterator[slice]:
        """Pieces of a block of at most `most` samples and as many rows of bias as there is room."""
        start = 0
        while start < steps:
            end = min(steps, start + most)
            if bias is not None:
                held = steps // len(bias)
                end = min(end, (start // held + self._streams.bias_rows) * held)
            yield slice(start, end)
            start = end


class CudaEngine(StreamsEngine):
    """The cuda engine: launches of its own."""

    def __init__(
        self, device: CudaDevice, schedule: Schedule, batch: int, packed: NDArray[np.uint8]
    ) -> None:
        """packed: the weights, as `pack` makes them for the schedule. Owns the device."""
        streams = Streams(device, schedule, -(-batch // schedule.streams), packed)
        note = f"{device.name}, {schedule.note}"
        super().__init__("cuda", device, schedule, batch, streams, note)
