"""Opens fused plans: the cuda engine's streams, moved on by TensorRT."""

from __future__ import annotations

from wn_runtime.engines.cuda.engine import StreamsEngine
from wn_runtime.engines.cuda.pack import pack
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.kind import Request
from wn_runtime.engines.tensorrt.api import TensorRT
from wn_runtime.engines.tensorrt.backend import Plan
from wn_runtime.engines.tensorrt.fused.kernel import NodeKernel
from wn_runtime.engines.tensorrt.fused.node import FusedNode
from wn_runtime.engines.tensorrt.fused.plugin import register
from wn_runtime.engines.tensorrt.fused.streams import PlanStreams
from wn_runtime.engines.tensorrt.plan_record import PlanRecord, rebuild_command
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.package import ModelPackage


def node_of(package: ModelPackage, artifact: Artifact, record: PlanRecord) -> FusedNode:
    """The node that a plan's record is of. Raises EngineUnavailable where it is none of these."""
    assert record.fused is not None
    path = package.directory / artifact.file
    remedy = rebuild_command(package.directory)
    if record.compute_capability is None:
        raise EngineUnavailable(f"{path} does not say which GPU its kernel is for; {remedy}")
    node = FusedNode(
        package.spec, artifact.precision, artifact.batch, record.compute_capability, record.fused
    )
    try:
        _ = node.schedule
    except EngineUnavailable as reason:
        raise EngineUnavailable(f"{path}: {reason}; {remedy}") from reason
    return node


def bytes_needed(node: FusedNode) -> int:
    """What a plan's streams take on the GPU, but for what goes with the length of a block."""
    signature = node.signature
    return node.schedule.model_bytes + sum(each.nbytes for _, each in signature.tensors())


def open_streams(
    request: Request,
    device: CudaDevice,
    trt: TensorRT,
    node: FusedNode,
    artifact: Artifact,
    record: PlanRecord,
) -> StreamsEngine:
    """The engine for a request, on a device that it then owns.

    Raises EngineUnavailable where the GPU cannot run the kernel, or NVRTC is missing.
    """
    package = request.package
    NodeKernel(device, node)  # what TensorRT would only say that it failed
    register(trt)
    plan = package.shared(
        ("plan", artifact.file),
        lambda: Plan(trt, record, package.read(artifact.file), node.signature, artifact),
    )
    packed = package.shared(("cuda", node.schedule), lambda: pack(node.schedule, package.weights))
    streams = PlanStreams(device, node, plan, packed)
    note = f"{device.name}, {plan.title}, {node.schedule.note}"
    return StreamsEngine(request.kind.name, device, node.schedule, request.batch, streams, note)
