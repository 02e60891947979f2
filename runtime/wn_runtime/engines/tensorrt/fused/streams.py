"""The streams of a fused plan: launches of the cuda engine, by calls of the plan in their place."""

from __future__ import annotations

import contextlib

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.cuda.memory import Streams
from wn_runtime.engines.cuda.source import RESTORE, SNAPSHOT
from wn_runtime.engines.device_loop.device import CudaDevice, DeviceLost
from wn_runtime.engines.tensorrt.backend import Plan
from wn_runtime.engines.tensorrt.fused.node import CONTROL, FusedNode, controls
from wn_runtime.engines.tensorrt.fused.record import CHUNK


class PlanStreams(Streams):
    """A block of many calls is enqueued at once, each on its own rows of the same arrays.

    Those lie at multiples of 256 bytes, as TensorRT wants them, K being 64; of conditioning each
    call's rows are copied to where they are bound. The state has two places that take turns: no
    buffer is ever a plan's input and output (NVIDIA/TensorRT#4681). Calls are enqueued ahead of
    the GPU, so that capturing them would win nothing.
    """

    spare = CHUNK - 1  # a call's tensors have K rows, however few of them it uses

    def __init__(
        self, device: CudaDevice, node: FusedNode, plan: Plan, model: NDArray[np.uint8]
    ) -> None:
        """Raises as `Streams`; EngineUnavailable where the plan cannot be set up."""
        self._node = node
        super().__init__(device, node.schedule, node.groups, model)
        self._forced = device.allocate(self._samples.shape, self._samples.dtype)
        self._control = device.allocate((-(-self.steps // CHUNK),), CONTROL)
        outputs = node.signature.outputs
        # Written by no call of `generate`, but bound as any output.
        self._no_params = device.allocate(outputs["params"].shape, outputs["params"].dtype)
        lines, window = self._lines, self._window
        self._other = (
            device.allocate(lines.shape, lines.dtype),
            device.allocate(window.shape, window.dtype),
        )
        bias = node.signature.inputs.get("bias")
        self._bound = None if bias is None else device.allocate(bias.shape, bias.dtype)
        self._plan, self._context = plan, plan.context(device)

    def close(self) -> None:
        """The context goes before the device that it is on; errors of a lost one are of no use."""
        with contextlib.suppress(DeviceLost):
            self._device.make_current()
        del self._context

    def _load(self) -> None:
        """The plugin has the kernel that generates."""
        self._snapshot, self._restore = self._device.kernels(self._node.text, SNAPSHOT, RESTORE)

    def _launch(self, steps: int, bias: Bias, held: int, offset: int, forced: bool) -> None:
        if bias is not None:
            assert self._bias is not None
            self._device.upload(self._bias, bias)
        for call in range(self.tell(steps, held, offset, forced)):
            start = call * CHUNK
            self.call(call, min(CHUNK, steps - start), held, offset, forced)
            here = self._lines, self._window
            (self._lines, self._window), self._other = self._other, here
        self._t += steps

    def tell(self, steps: int, held: int, offset: int, forced: bool) -> int:
        """Lay out what the next calls are told; how many `steps` samples take."""
        calls = controls(self._t, steps, held, offset, forced)
        self._device.upload(self._control, calls)
        return len(calls)

    def call(self, call: int, steps: int, held: int, offset: int, forced: bool) -> None:
        """Enqueue one of them. Raises DeviceLost where TensorRT fails."""
        start = call * CHUNK
        params = self._no_params.row(0)
        if forced:
            assert self._params is not None
            params = self._params.row(start)
        lines, window = self._other
        at = {
            "control": self._control.row(call),
            "uniforms": self._uniforms.row(start),
            "inverse_temperature": self._inverse.address,
            "forced": self._forced.row(start),
            "lines": self._lines.address,
            "window": self._window.address,
            "samples": self._samples.row(start),
            "params": params,
            "lines_out": lines.address,
            "window_out": window.address,
        }
        if self._bias is not None and self._bound is not None:
            first, past = (start + offset) // held, -(-(start + steps + offset) // held)
            rows = self._bias.row(past) - self._bias.row(first)
            self._device.copy(self._bound.address, self._bias.row(first), rows)
            at["bias"] = self._bound.address
        self._plan.bind(self._context, at)
        self._plan.enqueue(self._context, self._device.handle)
