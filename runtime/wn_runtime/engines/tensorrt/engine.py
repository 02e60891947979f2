"""Plans on NVIDIA GPUs: TensorRT or TensorRT-RTX in the device loop, or ONNX Runtime in it."""

from __future__ import annotations

from wn_runtime.engines.cache.directory import cache_directory
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.device_loop.loop import DeviceLoop, StepBackend, check_width
from wn_runtime.engines.device_loop.memory import ELEMENTS, bytes_needed
from wn_runtime.engines.device_loop.onnx_backend import OnnxRuntimeBackend
from wn_runtime.engines.engine import Engine, EngineUnavailable, Request
from wn_runtime.engines.tensorrt import plan_record
from wn_runtime.engines.tensorrt.backend import TensorRtBackend
from wn_runtime.engines.tensorrt.module import load
from wn_runtime.engines.tensorrt.plan_record import Here
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact

CONTEXTS = 2


def open_engine(request: Request) -> Engine:
    """The engine for a request: `tensorrt`, or `onnx-cuda-loop`.

    Raises EngineUnavailable without TensorRT or a GPU, and where a plan is for another GPU or
    another version; WavestepError where a file is broken.
    """
    artifact = request.artifact or _choose(request)
    if artifact.precision not in ELEMENTS:
        raise WavestepError(
            f"{artifact.file} has precision {artifact.precision}; the device loop runs "
            f"{' and '.join(ELEMENTS)}"
        )
    check_width(request.batch, artifact.batch, artifact.file)
    return _open_plan(request, artifact) if artifact.engine == "tensorrt" else _open_graph(
        request, artifact
    )  # fmt: skip


def _open_plan(request: Request, artifact: Artifact) -> Engine:
    path = request.directory / artifact.file
    record = plan_record.check_files(request.directory, request.manifest, artifact)
    trt = load(record.flavour)
    spec = request.manifest.spec
    device = CudaDevice()
    try:
        plan = path.read_bytes()
        working = CONTEXTS * (record.working_bytes or 0)
        state = bytes_needed(spec, artifact.batch, artifact.precision, artifact.steps_per_call)
        here = Here(
            device.name, device.compute_capability, device.available_bytes(), trt.__version__
        )
        plan_record.check_machine(path, record, here, len(plan) + working + state)
        backend = TensorRtBackend(
            trt, record.flavour, plan, spec, artifact, record.version_compatible
        )
        return _loop(request, artifact, device, backend)
    except BaseException:
        device.close()
        raise


def _open_graph(request: Request, artifact: Artifact) -> Engine:
    path = request.directory / artifact.file
    manifests.verify(request.directory, request.manifest, artifact.file)
    device = CudaDevice()
    try:
        backend = OnnxRuntimeBackend(
            path.read_bytes(), request.manifest.spec, artifact, device.handle
        )
        return _loop(request, artifact, device, backend)
    except BaseException:
        device.close()
        raise


def _loop(
    request: Request, artifact: Artifact, device: CudaDevice, backend: StepBackend
) -> DeviceLoop:
    return DeviceLoop(
        request.engine, device, backend, request.manifest.spec, artifact.precision,
        request.batch, artifact.batch, artifact.steps_per_call, cache_directory(),
    )  # fmt: skip


def _choose(request: Request) -> Artifact:
    """The plan or graph of this precision for the fewest streams that are enough; fp16 first."""
    kind = "tensorrt" if request.engine == "tensorrt" else "onnx"
    precision = request.precision
    fitting = [
        a
        for a in request.manifest.artifacts
        if a.engine == kind and precision in (None, a.precision) and a.precision in ELEMENTS
        and (kind == "tensorrt" or a.steps_per_call == 1)
    ]  # fmt: skip
    if not fitting:
        in_precision = f" in {precision}" if precision else ""
        what = "engine.plan" if kind == "tensorrt" else "step graph"
        raise EngineUnavailable(
            f"{request.directory} has no {what}{in_precision}; build it on this machine with "
            f"wn-export {request.directory}{' --fp16' * (precision != 'fp32')}"
        )
    enough = [a for a in fitting if a.batch >= request.batch] or fitting
    return min(enough, key=lambda a: (a.batch, a.precision != "fp16"))
