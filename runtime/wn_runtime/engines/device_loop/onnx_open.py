"""Opens ONNX Runtime in the device loop."""

from __future__ import annotations

from wn_runtime.engines.device_loop import step_cubin
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.device_loop.loop import DeviceLoop, check_width
from wn_runtime.engines.device_loop.onnx_backend import OnnxRuntimeBackend
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.kind import Request
from wn_runtime.engines.step_signature import StepSignature


def open_engine(request: Request) -> Engine:
    """The engine for a request. Raises EngineUnavailable without a GPU or the CUDA provider."""
    package = request.package
    artifact = request.chosen_artifact("step graph", "export it with")
    check_width(request.batch, artifact.batch, artifact.file)
    graph, where = package.read(artifact.file), str(package.directory / artifact.file)
    signature = StepSignature.of(package.spec, artifact.precision, artifact.batch)
    device = CudaDevice()
    try:
        step_cubin.prepare(package, device)
        backend = OnnxRuntimeBackend(graph, where, signature, device.handle)
        return DeviceLoop(
            request.kind.name,
            device,
            backend,
            package.spec,
            artifact.precision,
            request.batch,
            artifact.batch,
        )
    except BaseException:
        device.close()
        raise
