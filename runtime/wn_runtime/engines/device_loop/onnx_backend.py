"""The step graph in ONNX Runtime on the same device memory: the cross-check of the device loop."""

from __future__ import annotations

from typing import Any

from wn_runtime.engines.device_loop.device import DeviceLost
from wn_runtime.engines.onnx.session import CUDA, check_signature, open_session
from wn_runtime.engines.step_signature import StepSignature


class OnnxRuntimeBackend:
    """A session that works on the loop's own stream, with one binding a set of buffers.

    Not capturable: ONNX Runtime allocates and synchronises inside `run`.
    """

    capturable = False

    def __init__(
        self,
        graph: bytes,
        what: str,
        signature: StepSignature,
        stream: int,
        provider: str = CUDA,
    ) -> None:
        on_gpu = provider == CUDA
        self._session: Any = open_session(graph, what, provider, stream=stream if on_gpu else None)
        check_signature(self._session, signature, what)
        self.title = f"ONNX Runtime {provider}"
        self._memory = "cuda" if on_gpu else "cpu"
        self._signature = signature
        self._bindings = [self._session.io_binding(), self._session.io_binding()]

    def bind(self, buffers: int, addresses: dict[str, int]) -> None:
        """See `StepBackend.bind`."""
        binding = self._bindings[buffers]
        for bound, tensors in (
            (binding.bind_input, self._signature.inputs),
            (binding.bind_output, self._signature.outputs),
        ):
            for name, each in tensors.items():
                bound(name, self._memory, 0, each.dtype, list(each.shape), addresses[name])

    def enqueue(self, buffers: int, _stream: int, /) -> None:
        """See `StepBackend.enqueue`."""
        try:
            self._session.run_with_iobinding(self._bindings[buffers])
        except Exception as error:
            raise DeviceLost(
                f"ONNX Runtime failed to run the graph: {str(error).strip().splitlines()[0]}; "
                "open the engine again"
            ) from error

    def close(self) -> None:
        """See `StepBackend.close`."""
        self._bindings.clear()
        self._session = None
