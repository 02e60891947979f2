"""What lies on the GPU for a model's streams, and the kernels that work on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.cuda.source import GENERATE, RESTORE, SNAPSHOT, source
from wn_runtime.engines.device_loop.device import CudaDevice, DeviceArray
from wn_runtime.engines.engine import padded
from wn_runtime.heads.head import Samples
from wn_runtime.model.state import DELAY_LINES, SAMPLES, State

_MOST_STEPS = 4096
_PIECE_BYTES = 128 * 2**20
"""Of the arrays that a launch reads or writes, each."""
_MOVERS, _MOVER_THREADS = 512, 256


class Streams:
    """Whole groups of streams on one GPU: their state, and the arrays of a launch."""

    def __init__(
        self, device: CudaDevice, schedule: Schedule, groups: int, model: NDArray[np.uint8]
    ) -> None:
        """Raises EngineUnavailable where the GPU cannot run the schedule.

        WavestepError where its memory does not do.
        """
        self._device, self._schedule, self._groups = device, schedule, groups
        self.width = groups * schedule.streams
        """B, with the streams that fill up the last group."""
        self._generate, self._snapshot, self._restore = device.kernels(
            source(schedule), GENERATE, SNAPSHOT, RESTORE
        )
        flags, blocks = schedule.flags, groups * schedule.cluster
        device.allow(
            self._generate,
            schedule.threads,
            schedule.shared_bytes,
            1 if flags else schedule.cluster,
            blocks if flags else 0,
        )
        spec, width = schedule.spec, self.width
        self._model = device.allocate(model.shape, np.uint8)
        device.upload(self._model, model)
        lines = (groups, schedule.line_rows, schedule.line_bytes)
        self._lines = device.allocate(lines, np.uint8)
        self._window = device.allocate((groups, spec.input_kernel, schedule.streams), _sample(spec))
        per_step = 4 * width * (spec.output.uniforms + 2)
        self.steps = max(1, min(_MOST_STEPS, _PIECE_BYTES // per_step))
        """The longest piece of a block that one launch makes."""
        self._inverse = device.allocate((width,), np.float32)
        self._uniforms = device.allocate((self.steps, width, spec.output.uniforms), np.int32)
        self._samples = device.allocate((self.steps, width), _sample(spec))
        row = 4 * spec.layers * width * spec.gate_channels
        self.bias_rows = max(1, min(self.steps, _PIECE_BYTES // row)) if spec.conditioning else 0
        """Rows of conditioning that a launch can have."""
        shape = (self.bias_rows, spec.layers, width, spec.gate_channels)
        self._bias = device.allocate(shape, np.float32) if self.bias_rows else None
        params = 4 * width * spec.output.params
        self.scored = max(1, min(self.steps, _PIECE_BYTES // params))
        """The longest piece whose params one launch gives."""
        self._params: DeviceArray | None = None  # most streams are never scored
        self._mail = device.allocate((groups, schedule.mail_bytes), np.uint8) if flags else None
        self._t = 0
        self.silence()

    def silence(self) -> None:
        """Back to the state before the first sample."""
        spec, schedule = self._schedule.spec, self._schedule
        self._device.clear(self._lines)
        silent = np.full(self._window.shape, spec.output.silence, self._window.dtype)
        self._device.upload(self._window, silent)
        self._t = 0
        assert schedule.streams * self._groups == self.width

    def generate(
        self,
        bias: Bias,
        held: int,
        offset: int,
        uniforms: NDArray[np.int32],
        inverse: NDArray[np.float32],
    ) -> Samples:
        """Samples (P, width) of uniforms (P, width, U), inverse temperatures (width,).

        bias (N, L, width, G): row (i + offset) // held of sample i; held is 0 without.
        """
        self._device.upload(self._uniforms, uniforms)
        self._device.upload(self._inverse, inverse)
        self._launch(len(uniforms), bias, held, offset, forced=False)
        return self._device.download(self._samples, len(uniforms))

    def score(self, samples: Samples, bias: Bias, held: int, offset: int) -> NDArray[np.float32]:
        """Params (T, width, A) of samples (T, width)."""
        if self._params is None:
            shape = (self.scored, self.width, self._schedule.spec.output.params)
            self._params = self._device.allocate(shape, np.float32)
        self._device.upload(self._samples, samples)
        self._launch(len(samples), bias, held, offset, forced=True)
        params: NDArray[np.float32] = self._device.download(self._params, len(samples))
        return params

    def _launch(self, steps: int, bias: Bias, held: int, offset: int, forced: bool) -> None:
        if bias is not None:
            assert self._bias is not None
            self._device.upload(self._bias, bias)
        schedule, mail = self._schedule, self._mail
        if mail is not None:
            self._device.clear(mail)  # marks count from a launch's first step
        self._device.launch(
            self._generate,
            self._groups * (schedule.cluster if schedule.flags else 1),
            schedule.threads,
            schedule.shared_bytes,
            self._model.address,
            self._lines.address,
            self._window.address,
            _address(self._bias),
            self._uniforms.address,
            self._inverse.address,
            self._samples.address if forced else 0,
            self._samples.address,
            _address(self._params) if forced else 0,
            self._t,
            held,
            offset,
            steps,
            self.width,
            _address(mail),
            cluster=1 if schedule.flags else schedule.cluster,
            together=schedule.flags,
        )
        self._t += steps

    def snapshot(self, batch: int) -> State:
        """The arrays of `model.layout` of the first `batch` streams."""
        spec = self._schedule.spec
        rows = (spec.state_rows, self.width, spec.residual_channels)
        lines = self._device.allocate(rows, np.float32)
        samples = self._device.allocate((spec.input_kernel, self.width), _sample(spec))
        try:
            addresses = (self._model, self._lines, self._window, lines, samples)
            self._move(self._snapshot, addresses, self._t, self.width)
            state = {SAMPLES: samples, DELAY_LINES: lines}
            found = {name: self._device.download(array) for name, array in state.items()}
        finally:
            self._device.free(lines)
            self._device.free(samples)
        return {name: array[:, :batch].copy() for name, array in found.items()}

    def restore(self, state: State) -> None:
        """The inverse of `snapshot`; streams that fill up a group get any state."""
        arrays = [padded(state[name], 1, self.width) for name in (DELAY_LINES, SAMPLES)]
        on_gpu = [self._device.allocate(array.shape, array.dtype) for array in arrays]
        try:
            for there, array in zip(on_gpu, arrays, strict=True):
                self._device.upload(there, array)
            self._move(self._restore, (self._model, self._lines, self._window, *on_gpu), self.width)
            self._device.synchronize()
        finally:
            for array in on_gpu:
                self._device.free(array)
        self._t = 0

    def _move(self, kernel: Any, arrays: tuple[DeviceArray, ...], *numbers: int) -> None:
        addresses = [array.address for array in arrays]
        self._device.launch(kernel, _MOVERS, _MOVER_THREADS, 0, *addresses, *numbers)


def _sample(spec: Any) -> np.dtype[Any]:
    kind: np.dtype[Any] = spec.output.sample_dtype
    return kind


def _address(array: DeviceArray | None) -> int:
    return 0 if array is None else array.address
