"""Opens plans: of a step graph in the device loop, or with the cuda engine's kernel in them."""

from __future__ import annotations

from wn_runtime.engines import trust
from wn_runtime.engines.device_loop import step_cubin
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.device_loop.loop import DeviceLoop, check_width
from wn_runtime.engines.device_loop.memory import bytes_needed
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.kind import Request
from wn_runtime.engines.step_signature import StepSignature
from wn_runtime.engines.tensorrt import plan_record
from wn_runtime.engines.tensorrt.backend import Plan, TensorRtBackend
from wn_runtime.engines.tensorrt.fused import open as fused
from wn_runtime.engines.tensorrt.module import load
from wn_runtime.engines.tensorrt.plan_record import ThisMachine
from wn_runtime.errors import EngineUnavailable

CONTEXTS = 2


def open_engine(request: Request) -> Engine:
    """The engine for a request; the plan itself is that of the package's other engines.

    Raises EngineUnavailable without TensorRT or a GPU, and where a plan is for another GPU or
    another version, or is not trusted: it holds machine code. WavestepError where a file is broken.
    """
    package = request.package
    try:
        artifact = request.chosen_artifact("engine.plan", "build it on this machine with")
    except EngineUnavailable:
        CudaDevice().close()  # without a GPU none can be built here: that is said then
        raise
    check_width(request.batch, artifact.batch, artifact.file)
    path = package.directory / artifact.file
    record = plan_record.check_files(package, artifact)
    trust.require(package.manifest.files[artifact.file].sha256, path)
    trt = load(record.flavour)
    device = CudaDevice()
    try:
        needed = path.stat().st_size + CONTEXTS * (record.working_bytes or 0)
        machine = ThisMachine(
            device.name, device.compute_capability, device.available_bytes(), trt.__version__
        )
        plan_record.check_machine(path, record, machine)
        if record.fused is not None:
            node = fused.node_of(package, artifact, record)
            plan_record.check_memory(path, machine, needed + fused.bytes_needed(node))
            return fused.open_streams(request, device, trt, node, artifact, record)
        step_cubin.prepare(package, device)
        state = bytes_needed(package.spec, artifact.batch, artifact.precision)
        plan_record.check_memory(path, machine, needed + state)
        signature = StepSignature.of(package.spec, artifact.precision, artifact.batch)
        plan = package.shared(
            ("plan", artifact.file),
            lambda: Plan(trt, record, package.read(artifact.file), signature, artifact),
        )
        return DeviceLoop(
            request.kind.name,
            device,
            TensorRtBackend(plan, device),
            package.spec,
            artifact.precision,
            request.batch,
            artifact.batch,
        )
    except BaseException:
        device.close()
        raise
