"""The streams of a fused plan: launches of the cuda engine, by calls of the plan in their place."""

from __future__ import annotations

import contextlib

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.cuda.memory import Streams
from wn_runtime.engines.cuda.source import RESTORE, SNAPSHOT
from wn_runtime.engines.device_loop.device import CudaDevice, DeviceLost
from wn_runtime.engines.tensorrt.backend import REBUILD, Plan
from wn_runtime.engines.tensorrt.fused.node import CONTROL, FusedNode, controls
from wn_runtime.engines.tensorrt.fused.record import CHUNK
from wn_runtime.errors import WavestepError


class PlanStreams(Streams):
    """A block of many calls is enqueued at once, each on its own rows of the same arrays.

    The state has two places that take turns: no buffer is ever a plan's input and output
    (NVIDIA/TensorRT#4681). Calls go ahead of the GPU, so that capturing them would win nothing.
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
        self._other = tuple(
            device.allocate(array.shape, array.dtype) for array in (self._lines, self._window)
        )
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
            self.call(call, held, offset, forced)
            here = self._lines, self._window
            (self._lines, self._window), self._other = self._other, here
        self._t += steps

    def tell(self, steps: int, held: int, offset: int, forced: bool) -> int:
        """Lay out what the next calls are told; how many `steps` samples take."""
        calls = controls(self._t, steps, held, offset, forced)
        self._device.upload(self._control, calls)
        return len(calls)

    def call(self, call: int, held: int, offset: int, forced: bool) -> None:
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
        if self._bias is not None:
            at["bias"] = self._bias.row((start + offset) // held)
        title, said = self._plan.title, self._plan.messages.last
        for name, address in at.items():
            if not self._context.set_tensor_address(name, address):
                raise WavestepError(f"{title} refuses the address of {name} ({said()}); {REBUILD}")
        self._device.make_current()
        if not self._context.execute_async_v3(self._device.handle):
            raise DeviceLost(
                f"{title} failed to run the plan: {said()}; the streams' state is lost: open the "
                "engine again"
            )
