"""The node's kernel on a GPU, put into any stream: what the plugin enqueues."""

from __future__ import annotations

from collections.abc import Sequence

from wn_runtime.engines.cuda.source import GENERATE_CHUNK
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.tensorrt.fused.node import FusedNode


class NodeKernel:
    """A node's kernel, compiled for a device; it may be captured from its first call on."""

    def __init__(self, device: CudaDevice, node: FusedNode) -> None:
        """Raises EngineUnavailable where the GPU cannot run it, or NVRTC is missing."""
        self._device, self._node, self._signature = device, node, node.signature
        schedule = node.schedule
        (self._kernel,) = device.kernels(node.text, GENERATE_CHUNK)
        device.allow(self._kernel, schedule.threads, schedule.shared_bytes, schedule.cluster)

    def enqueue(self, inputs: Sequence[int], outputs: Sequence[int], stream: int) -> None:
        """Put a call into a CUDA stream: addresses in the order of the node's signature.

        The weights' follows the inputs'. Raises DeviceLost where CUDA refuses it.
        """
        signature, schedule = self._signature, self._node.schedule
        at = dict(zip((*signature.inputs, "weights"), inputs, strict=True))
        at |= zip(signature.outputs, outputs, strict=True)
        with self._device.on(stream):
            # The kernel moves the state on where it lies, and a plan's input stays as it was.
            for name in ("lines", "window"):
                size = signature.inputs[name].nbytes
                self._device.copy(at[f"{name}_out"], at[name], size)
            self._device.launch(
                self._kernel,
                self._node.groups,
                schedule.threads,
                schedule.shared_bytes,
                at["weights"],
                at["lines_out"],
                at["window_out"],
                at.get("bias", 0),
                at["uniforms"],
                at["inverse_temperature"],
                at["forced"],
                at["samples"],
                at["params"],
                at["control"],
                self._node.width,
                cluster=schedule.cluster,
            )
