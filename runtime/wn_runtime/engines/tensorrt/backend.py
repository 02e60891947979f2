"""A TensorRT plan, loaded and checked once; bound and enqueued by each engine of a step graph's."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from wn_runtime.engines.device_loop.device import CudaDevice, DeviceLost
from wn_runtime.engines.step_signature import Signature, Tensor
from wn_runtime.engines.tensorrt.api import (
    ICudaEngine,
    IExecutionContext,
    RtxExecutionContext,
    TensorRT,
)
from wn_runtime.engines.tensorrt.module import PRODUCTS, RTX, Messages
from wn_runtime.engines.tensorrt.plan_record import PlanRecord
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model.manifest import Artifact

REBUILD = "build it anew with wn-export DIR"


class Plan:
    """A loaded plan. Engines share it; each has execution contexts of its own."""

    def __init__(
        self,
        trt: TensorRT,
        record: PlanRecord,
        data: bytes,
        signature: Signature,
        artifact: Artifact,
    ) -> None:
        """Raises WavestepError where TensorRT cannot load it, or it is another model's."""
        self.title = f"{PRODUCTS[record.flavour]} {trt.__version__}"
        self.file = artifact.file
        self.rtx = record.flavour == RTX
        self._trt = trt
        self.messages = Messages(trt)
        self._runtime = trt.Runtime(self.messages.logger)
        if record.version_compatible:
            self._runtime.engine_host_code_allowed = True  # the plan's own lean runtime
        engine = self._runtime.deserialize_cuda_engine(data)
        if engine is None:
            raise WavestepError(
                f"{self.title} cannot load {self.file} ({self.messages.last()}); {REBUILD}"
            )
        signature.check(*_tensors(trt, engine), self.file)
        self._engine: ICudaEngine = engine

    def context(self, device: CudaDevice) -> IExecutionContext:
        """A new execution context. Raises EngineUnavailable where its memory cannot be had.

        TensorRT-RTX is given the memory: it may have none of its own while a stream is captured.
        """
        size = self._engine.device_memory_size_v2
        if self.rtx:
            strategy = self._trt.ExecutionContextAllocationStrategy.USER_MANAGED
            context = self._engine.create_execution_context(strategy)
        else:
            context = self._engine.create_execution_context()
        if context is None:
            raise EngineUnavailable(
                f"{self.title} cannot set {self.file} up ({size / 2**20:.1f} MiB a context: "
                f"{self.messages.last()}); close other programs on the GPU"
            )
        if self.rtx and size:
            context.set_device_memory(device.allocate((size,), np.uint8).address, size)
        return context

    def bind(self, context: IExecutionContext, addresses: dict[str, int]) -> None:
        """Where a context has each of these inputs and outputs, at multiples of 256."""
        for name, address in addresses.items():
            if not context.set_tensor_address(name, address):
                raise WavestepError(
                    f"{self.title} refuses the address of {name} ({self.messages.last()}); "
                    f"{REBUILD}"
                )

    def enqueue(self, context: IExecutionContext, stream: int) -> None:
        """Put one call into a stream. Raises DeviceLost where TensorRT fails."""
        if not context.execute_async_v3(stream):
            raise DeviceLost(
                f"{self.title} failed to run the plan: {self.messages.last()}; the streams' "
                "state is lost: open the engine again"
            )


class TensorRtBackend:
    """A plan with two execution contexts, one a set of buffers.

    With an address bound once in each context, and never again, what a CUDA graph captured stays
    true.
    """

    def __init__(self, plan: Plan, device: CudaDevice) -> None:
        self._plan, self._device, self.title = plan, device, plan.title
        self._contexts = [plan.context(device) for _ in range(2)]

    @property
    def capturable(self) -> bool:
        """See `StepBackend.capturable`: of TensorRT-RTX, what was built for it."""
        if not self._plan.rtx:
            return True
        stream, contexts = self._device.handle, cast(list[RtxExecutionContext], self._contexts)
        return all(context.is_stream_capturable(stream) for context in contexts)

    def bind(self, buffers: int, addresses: dict[str, int]) -> None:
        """See `StepBackend.bind`."""
        self._plan.bind(self._contexts[buffers], addresses)

    def enqueue(self, buffers: int, stream: int, /) -> None:
        """See `StepBackend.enqueue`."""
        self._plan.enqueue(self._contexts[buffers], stream)

    def close(self) -> None:
        """See `StepBackend.close`."""
        self._contexts.clear()


def _tensors(trt: TensorRT, engine: ICudaEngine) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The plan's inputs and outputs."""
    types = (
        (trt.DataType.FLOAT, "float32"),
        (trt.DataType.HALF, "float16"),
        (trt.DataType.INT32, "int32"),
    )
    sides: dict[Any, dict[str, Tensor]] = {trt.TensorIOMode.INPUT: {}, trt.TensorIOMode.OUTPUT: {}}
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        found = engine.get_tensor_dtype(name)
        dtype = np.dtype(next((dtype for code, dtype in types if code == found), "O"))
        sides[engine.get_tensor_mode(name)][name] = Tensor(
            tuple(engine.get_tensor_shape(name)), dtype
        )
    return sides[trt.TensorIOMode.INPUT], sides[trt.TensorIOMode.OUTPUT]
