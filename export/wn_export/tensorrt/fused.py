"""A plan whose one node is the cuda engine's kernel: built straight from the weights."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wn_export.tensorrt import layers as trt_inspect
from wn_export.tensorrt.build import PLAN, Builder, load_back, put_on_record
from wn_export.tensorrt.progress import BuildProgress
from wn_runtime.engines.cuda.choose import choose
from wn_runtime.engines.cuda.open import this_gpu
from wn_runtime.engines.cuda.pack import pack
from wn_runtime.engines.cuda.source import source
from wn_runtime.engines.device_loop.allowance import NoSuchCluster
from wn_runtime.engines.device_loop.compiler import source_digest
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.tensorrt import module as trt_module
from wn_runtime.engines.tensorrt.api import INetworkDefinition, TensorRT
from wn_runtime.engines.tensorrt.fused.kernel import NodeKernel
from wn_runtime.engines.tensorrt.fused.node import FusedNode
from wn_runtime.engines.tensorrt.fused.plugin import element, plugin_class, register
from wn_runtime.engines.tensorrt.fused.record import CHUNK, FusedRecord
from wn_runtime.engines.tensorrt.module import PRODUCTS, Messages
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

PRECISION = "fp16"


def add_fused_plan(
    directory: Path, manifest: Manifest, weights: Weights, batch: int, builder: Builder
) -> Manifest:
    """Build `engine.plan` of the weights, in half precision, and put it on record.

    The manifest is returned, not written. Raises EngineUnavailable where there can be no such
    plan: of TensorRT-RTX, for want of NVRTC, on a GPU that cannot run the kernel. WavestepError
    where TensorRT fails; an older plan is then untouched.
    """
    if builder.flavour != trt_module.TENSORRT:
        raise EngineUnavailable(f"{PRODUCTS[builder.flavour]} takes no plugins")
    device = CudaDevice()
    try:
        node = choose_node(device, manifest.spec, PRECISION, batch)
        started = time.perf_counter()
        data, network = build(builder, node, pack(node.schedule, weights))
    finally:
        device.close()
    return put_on_record(
        (directory, manifest, builder),
        data,
        (manifests.WEIGHTS, PRECISION, batch),
        version_compatible=False,
        seconds=round(time.perf_counter() - started, 2),
        working_bytes=load_back(builder, data).device_memory_size_v2,
        layers=trt_inspect.of_network(network).types,
        fused=node.fused,
    )


def choose_node(device: CudaDevice, spec: ModelSpec, precision: str, batch: int) -> FusedNode:
    """The node in the cheapest schedule that the GPU hosts, or the one that is named.

    Raises EngineUnavailable where it runs none, or NVRTC is missing.
    """
    # Blocks that wait for each other need memory that is cleared before a launch: no node has any.
    gpu = dataclasses.replace(this_gpu(device).gpu, cooperative=False)
    while True:
        choice = choose(spec, precision, batch, gpu)
        text = source(choice.schedule, CHUNK)
        fused = FusedRecord(str(choice.kind), gpu.shared_bytes, source_digest(text))
        node = FusedNode(spec, precision, batch, gpu.compute_capability, fused)
        try:
            NodeKernel(device, node)
            return node
        except NoSuchCluster:
            gpu = dataclasses.replace(gpu, largest_cluster=choice.schedule.cluster - 1)


def build(
    builder: Builder, node: FusedNode, packed: NDArray[np.uint8]
) -> tuple[bytes, INetworkDefinition]:
    """A plan, and its network. Raises WavestepError with TensorRT's reason."""
    trt = builder.trt
    register(trt)
    messages, progress = Messages(trt), BuildProgress(trt, f"building {PLAN}")
    try:
        maker = trt.Builder(messages.logger)
        network = maker.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
        words = np.ascontiguousarray(packed).view(np.int32)
        plugin = plugin_class(trt)(node)
        _add(trt, network, node, words, plugin)
        builder_config = maker.create_builder_config()
        builder_config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
        builder_config.max_aux_streams = 0
        builder_config.progress_monitor = progress.monitor
        plan = maker.build_serialized_network(network, builder_config)
    finally:
        progress.close()
    if progress.interrupted is not None:
        raise progress.interrupted
    if plan is None:
        raise WavestepError(
            f"{PRODUCTS[builder.flavour]} {trt.__version__} cannot build the fused {PLAN} "
            f"({messages.last()})"
        )
    return bytes(plan), network


def _add(
    trt: TensorRT,
    network: INetworkDefinition,
    node: FusedNode,
    words: NDArray[np.int32],
    plugin: object,
) -> None:
    """The node, its inputs, the weights, and its outputs."""
    signature = node.signature
    inputs = [
        network.add_input(name, element(trt, tensor), tensor.shape)
        for name, tensor in signature.inputs.items()
    ]
    # Not Weights(array): of arrays of NumPy 2 the bindings up to 10.13 mistake the layout.
    values = trt.Weights(trt.DataType.INT32, words.ctypes.data, len(words))
    constant = network.add_constant(node.weights.shape, values)
    layer = None
    if constant is not None:
        layer = network.add_plugin_v3([*inputs, constant.get_output(0)], [], plugin)  # type: ignore[list-item]
    if layer is None:
        raise WavestepError(f"TensorRT {trt.__version__} does not take the plugin in a network")
    for index, name in enumerate(signature.outputs):
        output = layer.get_output(index)
        assert output is not None
        output.name = name
        network.mark_output(output)
