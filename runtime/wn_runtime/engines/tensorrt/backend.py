"""The step graph as a TensorRT plan: loaded, checked against the model, bound once and enqueued."""

from __future__ import annotations

from typing import Any

from wn_runtime.engines.device_loop.device import DeviceLost
from wn_runtime.engines.device_loop.memory import graph_inputs, graph_outputs, tensor_type
from wn_runtime.engines.engine import EngineUnavailable
from wn_runtime.engines.tensorrt.api import ICudaEngine, IExecutionContext, TensorRT
from wn_runtime.engines.tensorrt.module import PRODUCTS, Messages
from wn_runtime.errors import WavestepError
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.spec import ModelSpec

REBUILD = "rebuild it with wn-run --rebuild"


class TensorRtBackend:
    """A plan with two execution contexts, one a set of buffers.

    With an address bound once in each context, and never again, what a CUDA graph captured stays
    true.
    """

    capturable = True

    def __init__(
        self,
        trt: TensorRT,
        flavour: str,
        plan: bytes,
        spec: ModelSpec,
        artifact: Artifact,
        version_compatible: bool = False,
    ) -> None:
        self.title = f"{PRODUCTS[flavour]} {trt.__version__}"
        self._messages = Messages(trt)
        self._runtime = trt.Runtime(self._messages.logger)
        if version_compatible:
            self._runtime.engine_host_code_allowed = True  # the plan's own lean runtime
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise WavestepError(
                f"{self.title} cannot load {artifact.file} ({self._messages.last()}); {REBUILD}"
            )
        _check_tensors(trt, engine, spec, artifact)
        self._engine: ICudaEngine | None = engine
        self._contexts: list[IExecutionContext] = []
        for _ in range(2):
            context = engine.create_execution_context()
            if context is None:
                need = engine.device_memory_size_v2 / 2**20
                raise EngineUnavailable(
                    f"{self.title} cannot set {artifact.file} up ({need:.1f} MiB a context: "
                    f"{self._messages.last()}); close other programs on the GPU"
                )
            self._contexts.append(context)

    def bind(self, parity: int, addresses: dict[str, int]) -> None:
        """See `StepBackend.bind`."""
        for name, address in addresses.items():
            if not self._contexts[parity].set_tensor_address(name, address):
                raise WavestepError(
                    f"{self.title} refuses the address of {name} ({self._messages.last()}); "
                    f"{REBUILD}"
                )

    def enqueue(self, parity: int, stream: int) -> None:
        """See `StepBackend.enqueue`."""
        if not self._contexts[parity].execute_async_v3(stream):
            raise DeviceLost(
                f"{self.title} failed to run the plan: {self._messages.last()}; the streams' state "
                "is lost: open the engine again"
            )

    def close(self) -> None:
        """See `StepBackend.close`."""
        self._contexts.clear()
        self._engine = None


def _check_tensors(trt: TensorRT, engine: ICudaEngine, spec: ModelSpec, artifact: Artifact) -> None:
    """Raise WavestepError unless the plan's inputs and outputs are those of the model's graph."""
    types = {
        "float32": trt.DataType.FLOAT, "float16": trt.DataType.HALF, "int32": trt.DataType.INT32,
    }  # fmt: skip
    chunk = artifact.steps_per_call
    expected = {}
    for mode, tensors in (
        (trt.TensorIOMode.INPUT, graph_inputs(spec, artifact.batch, chunk)),
        (trt.TensorIOMode.OUTPUT, graph_outputs(spec, artifact.batch, chunk)),
    ):
        for name, shape in tensors.items():
            element = types[tensor_type(name, artifact.precision).name]
            expected[name] = (mode, shape, element)
    found = {}
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        shape = tuple(engine.get_tensor_shape(name))
        found[name] = (engine.get_tensor_mode(name), shape, engine.get_tensor_dtype(name))
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise WavestepError(
                f"{artifact.file}: {name} is {_shown(found.get(name))}, this model has "
                f"{_shown(expected.get(name))}; {REBUILD}"
            )


def _shown(tensor: tuple[Any, tuple[int, ...], Any] | None) -> str:
    if tensor is None:
        return "absent"
    mode, shape, element = tensor
    return " ".join(str(part).rsplit(".", 1)[-1] for part in (mode, element)) + f" {shape}"
