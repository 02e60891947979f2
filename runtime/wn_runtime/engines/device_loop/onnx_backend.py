"""The step graph in ONNX Runtime on the same device memory: the cross-check of the device loop."""

from __future__ import annotations

from typing import Any

from wn_runtime.engines.device_loop.device import DeviceLost
from wn_runtime.engines.device_loop.memory import graph_inputs, graph_outputs, tensor_type
from wn_runtime.engines.engine import EngineUnavailable
from wn_runtime.errors import WavestepError
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.spec import ModelSpec

CUDA = "CUDAExecutionProvider"


class OnnxRuntimeBackend:
    """A session that works on the loop's own stream, with one binding a set of buffers.

    Not capturable: ONNX Runtime allocates and synchronises inside `run`.
    """

    capturable = False

    def __init__(
        self, graph: bytes, spec: ModelSpec, artifact: Artifact, stream: int, provider: str = CUDA
    ) -> None:
        try:
            import onnxruntime as ort
        except ImportError as error:
            raise EngineUnavailable(
                f"ONNX Runtime cannot be imported ({error}); pip install 'wavestep[gpu]'"
            ) from error
        if provider not in ort.get_available_providers():
            raise EngineUnavailable(
                f"ONNX Runtime here has no {provider}; pip install 'wavestep[gpu]' in an "
                "environment without onnxruntime"
            )
        self.title = f"ONNX Runtime {ort.__version__} {provider}"
        self._memory = "cuda" if provider == CUDA else "cpu"
        settings = {"user_compute_stream": str(stream)} if provider == CUDA else {}
        options = ort.SessionOptions()
        options.log_severity_level = 4  # its complaints come as exceptions
        try:
            self._session: Any = ort.InferenceSession(
                graph, options, providers=[(provider, settings)]
            )
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise WavestepError(
                f"ONNX Runtime {ort.__version__} cannot load {artifact.file} "
                f"({str(error).strip().splitlines()[-1]}); export the model again"
            ) from error
        if provider not in self._session.get_providers():
            raise EngineUnavailable(f"ONNX Runtime could not start {provider} (no driver?)")
        self._bindings = [self._session.io_binding(), self._session.io_binding()]
        self._inputs = graph_inputs(spec, artifact.batch, artifact.steps_per_call)
        self._outputs = graph_outputs(spec, artifact.batch, artifact.steps_per_call)
        self._precision = artifact.precision

    def bind(self, parity: int, addresses: dict[str, int]) -> None:
        """See `StepBackend.bind`."""
        binding = self._bindings[parity]
        for bound, tensors in (
            (binding.bind_input, self._inputs),
            (binding.bind_output, self._outputs),
        ):
            for name, shape in tensors.items():
                element = tensor_type(name, self._precision)
                bound(name, self._memory, 0, element, list(shape), addresses[name])

    def enqueue(self, parity: int, stream: int) -> None:
        """See `StepBackend.enqueue`."""
        try:
            self._session.run_with_iobinding(self._bindings[parity])
        except Exception as error:
            raise DeviceLost(
                f"ONNX Runtime failed to run the graph: {str(error).strip().splitlines()[0]}; "
                "open the engine again"
            ) from error

    def close(self) -> None:
        """See `StepBackend.close`."""
        self._bindings.clear()
        self._session = None
