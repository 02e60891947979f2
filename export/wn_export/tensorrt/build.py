"""Step graph to TensorRT plan, through Polygraphy; torch-free, because it runs on the Jetson.

One path for TensorRT 10.3 to 11.x and for TensorRT-RTX: the graph's own types are kept (strongly
typed; 11 has no precision flags any more), its shapes are static, and the plan's manifest entry
says what it was built for.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from wn_export.tensorrt import layers as trt_inspect
from wn_export.tensorrt import polygraphy as trt_polygraphy
from wn_export.tensorrt.layers import Layers
from wn_export.tensorrt.progress import BuildProgress
from wn_runtime import atomic, files
from wn_runtime.engines import trust
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.tensorrt import module as trt_module
from wn_runtime.engines.tensorrt.api import (
    IBuilderConfig,
    ICudaEngine,
    INetworkDefinition,
    ITensor,
    TensorRT,
    TensorRtRtx,
)
from wn_runtime.engines.tensorrt.module import PRODUCTS, Messages
from wn_runtime.engines.tensorrt.plan_record import PlanRecord
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model import strict
from wn_runtime.model.manifest import Artifact, Manifest

PLAN = "engine.plan"
TIMING_CACHE = "engine.timing"
"""What the builder measured of each kernel; good for the same TensorRT and GPU only."""


@dataclass(frozen=True)
class Builder:
    """A builder that is here, and the GPU it would build for."""

    flavour: str
    trt: TensorRT
    gpu: str | None
    compute_capability: str | None


@dataclass(frozen=True)
class Plan:
    """What came of a build."""

    data: bytes
    network: Layers
    plan: Layers | None
    """Of the loaded plan; None where it cannot be loaded, for want of a GPU."""
    working_bytes: int | None
    seconds: float
    inputs: dict[str, tuple[str, tuple[int, ...]]]
    """Name to type and shape of the network's inputs."""
    outputs: dict[str, tuple[str, tuple[int, ...]]]


def find_builder(flavour: str | None = None, without_gpu: bool = False) -> Builder:
    """TensorRT, or else TensorRT-RTX, with this machine's GPU.

    Raises EngineUnavailable without one or the other. TensorRT-RTX can build `without_gpu`, for
    GPUs of several kinds; its kernels are then chosen where the plan is loaded.
    """
    chosen = flavour or trt_module.installed()
    if chosen is None:
        raise EngineUnavailable(f"TensorRT not found here; {trt_module.how_to_get()}")
    trt = trt_module.load(chosen)
    if without_gpu:
        return Builder(chosen, trt, None, None)
    device = CudaDevice()
    try:
        return Builder(chosen, trt, device.name, device.compute_capability)
    finally:
        device.close()


def add_plan(
    directory: Path,
    manifest: Manifest,
    graph: Artifact,
    builder: Builder,
    version_compatible: bool = False,
    old: Manifest | None = None,
) -> Manifest:
    """Build `engine.plan` from a graph of the directory, and put it on record.

    The manifest is returned, not written. `old` tells what the timing cache in the directory is
    of; it is read by TensorRT's own code, so only where this user trusts it. Raises WavestepError
    where the graph cannot be built, or --fp16 gave no half precision; an older plan is then
    untouched.
    """
    source = directory / graph.file
    manifests.verify(directory, manifest, graph.file)
    timing = directory / TIMING_CACHE
    if not (_same_builder(old or manifest, builder) and _trusted(timing)):
        timing.unlink(missing_ok=True)
    plan = build(source, builder, version_compatible, timing)
    if graph.precision == "fp16":
        trt_inspect.require_half(plan.network, f"the network of {graph.file}")
        if plan.plan is not None and plan.plan.products:
            trt_inspect.require_half(plan.plan, f"the plan of {graph.file}")
    return put_on_record(
        (directory, manifest, builder),
        plan.data,
        (graph.file, graph.precision, graph.batch),
        version_compatible=version_compatible,
        seconds=round(plan.seconds, 2),
        working_bytes=plan.working_bytes,
        layers=(plan.plan or plan.network).types,
        products=plan.network.products,
    )


def put_on_record(
    place: tuple[Path, Manifest, Builder],
    data: bytes,
    of: tuple[str, str, int],
    **built: Any,
) -> Manifest:
    """Write a plan into a model directory; the manifest with it is returned.

    place: the directory, its manifest, what built the plan. of: the file that it was built from,
    its precision and its streams. built: the other fields of PlanRecord.
    """
    (directory, manifest, builder), (source, precision, batch) = place, of
    record = PlanRecord(
        flavour=builder.flavour,
        version=builder.trt.__version__,
        platform=platform.machine(),
        gpu=builder.gpu,
        compute_capability=builder.compute_capability,
        onnx=source,
        onnx_sha256=manifest.files[source].sha256,
        **built,
    )
    path = directory / PLAN
    atomic.write(path, data)
    artifact = Artifact(PLAN, "tensorrt", precision, batch, strict.plain(record))
    return manifests.with_artifact(manifest, artifact, manifests.record(path))


def build(
    graph: Path, builder: Builder, version_compatible: bool = False, timing: Path | None = None
) -> Plan:
    """Parse and build one graph, strongly typed. Raises WavestepError with TensorRT's reason."""
    product = f"{PRODUCTS[builder.flavour]} {builder.trt.__version__}"
    polygraphy = trt_polygraphy.loaders(builder.trt, builder.flavour)
    messages = Messages(builder.trt)
    progress = BuildProgress(builder.trt, "building engine.plan")
    started = time.perf_counter()
    try:
        with trt_polygraphy.quiet(messages):
            made = polygraphy.network_from_onnx_path(str(graph), strongly_typed=True)
            network = cast(INetworkDefinition, made[1])
            settings: dict[str, Any] = {
                "profiling_verbosity": builder.trt.ProfilingVerbosity.DETAILED,
                "progress_monitor": progress.monitor,
                "version_compatible": version_compatible or None,
                # Forks to other streams and back cost more than a step's small kernels gain.
                "max_aux_streams": 0,
            }
            if timing is not None and timing.exists():
                settings["load_timing_cache"] = str(timing)
            data = bytes(
                polygraphy.engine_bytes_from_network(
                    made,
                    config=_configuration(builder, polygraphy.CreateConfig(**settings)),
                    save_timing_cache=None if timing is None else str(timing),
                )
            )
    except Exception as error:  # Polygraphy's, and what TensorRT's bindings raise
        if progress.interrupted is not None:
            raise progress.interrupted from error
        raise WavestepError(f"{product} cannot build {graph} ({messages.last(error)})") from error
    finally:
        progress.close()
        if timing is not None:
            timing.with_name(timing.name + ".lock").unlink(missing_ok=True)  # Polygraphy's
    seconds = time.perf_counter() - started
    engine = None if builder.gpu is None else load_back(builder, data)
    return Plan(
        data=data,
        network=trt_inspect.of_network(network),
        plan=None if engine is None else trt_inspect.of_plan(builder.trt, engine),
        working_bytes=None if engine is None else engine.device_memory_size_v2,
        seconds=seconds,
        inputs=_described([network.get_input(i) for i in range(network.num_inputs)]),
        outputs=_described([network.get_output(i) for i in range(network.num_outputs)]),
    )


def _configuration(builder: Builder, create: Callable[..., Any]) -> Callable[..., IBuilderConfig]:
    """Polygraphy's maker of a configuration, and what Polygraphy cannot be told."""

    def configure(trt_builder: Any, network: Any) -> IBuilderConfig:
        builder_config = cast(IBuilderConfig, create(trt_builder, network))
        if builder.flavour == trt_module.RTX:  # a stream is only then captured
            rtx = cast(TensorRtRtx, builder.trt)
            builder_config.set_flag(rtx.BuilderFlag.REQUIRE_USER_ALLOCATION)
        return builder_config

    return configure


def choose_graph(manifest: Manifest, fp16: bool) -> Artifact:
    """The step graph that the plan is made of. Raises WavestepError where there is none."""
    precision = "fp16" if fp16 else "fp32"
    for artifact in manifest.artifacts:
        if artifact.engine == "onnx" and artifact.precision == precision:
            return artifact
    raise WavestepError(
        f"there is no {precision} step graph; export it with wn-export{' --fp16' * fp16}"
    )


def _trusted(timing: Path) -> bool:
    try:
        return files.size_and_sha256(timing)[1] in trust.trusted()
    except OSError:
        return False


def _same_builder(manifest: Manifest, builder: Builder) -> bool:
    for artifact in manifest.artifacts:
        if artifact.file == PLAN:
            try:
                record = strict.parse(PlanRecord, artifact.built, PLAN)
            except WavestepError:
                return False
            was = (record.flavour, record.version, record.gpu, record.compute_capability)
            now = (builder.flavour, builder.trt.__version__)
            return was == (*now, builder.gpu, builder.compute_capability)
    return False


def load_back(builder: Builder, data: bytes) -> ICudaEngine:
    """A plan that was just built, on its GPU. Raises WavestepError with TensorRT's reason."""
    messages = Messages(builder.trt)
    engine = builder.trt.Runtime(messages.logger).deserialize_cuda_engine(data)
    if engine is None:
        raise WavestepError(
            f"{PRODUCTS[builder.flavour]} {builder.trt.__version__} cannot load the plan it built "
            f"({messages.last()})"
        )
    return engine


def _described(tensors: list[ITensor]) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {
        tensor.name: (str(tensor.dtype).rsplit(".", 1)[-1], tuple(tensor.shape))
        for tensor in tensors
    }
