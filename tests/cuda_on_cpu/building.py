"""The half of the stand-in for TensorRT that builds plans: of one plugin and its constants.

It asks the plugin what TensorRT asks, and times it as TensorRT does: with whatever lies in memory,
in a stream that is captured.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.cuda_on_cpu import plugins
from tests.cuda_on_cpu.gpu import Gpu, require
from tests.cuda_on_cpu.tensors import (
    ELEMENTS,
    DataType,
    DynamicTensorDesc,
    TensorDesc,
    TensorFormat,
)


class ITensor:
    def __init__(self, name: str, dtype: DataType, shape: Sequence[int]) -> None:
        self.name, self.dtype, self.shape = name, dtype, tuple(shape)

    @property
    def desc(self) -> TensorDesc:
        return TensorDesc(self.shape, self.dtype)


class Weights:
    def __init__(self, type: DataType, ptr: int, count: int) -> None:
        size = count * np.dtype(ELEMENTS[type]).itemsize
        self.type, self.count = type, count
        self._at, self._size = ptr, size

    def read(self) -> bytes:
        """What lies there by now."""
        return ctypes.string_at(self._at, self._size)


class ILayer:
    def __init__(self, name: str, type: str, outputs: list[ITensor]) -> None:
        self.name, self.type, self._outputs = name, f"LayerType.{type}", outputs
        self.num_inputs, self.num_outputs = 0, len(outputs)

    def get_input(self, index: int) -> ITensor | None:
        raise NotImplementedError

    def get_output(self, index: int) -> ITensor | None:
        return self._outputs[index] if index < len(self._outputs) else None


class INetworkDefinition:
    def __init__(self) -> None:
        self._inputs: list[ITensor] = []
        self._outputs: list[ITensor] = []
        self._layers: list[ILayer] = []
        self.constants: dict[ITensor, Weights] = {}
        self.node: tuple[Any, list[ITensor], list[ITensor]] | None = None

    num_layers = property(lambda self: len(self._layers))
    num_inputs = property(lambda self: len(self._inputs))
    num_outputs = property(lambda self: len(self._outputs))

    def get_layer(self, index: int) -> ILayer:
        return self._layers[index]

    def get_input(self, index: int) -> ITensor:
        return self._inputs[index]

    def get_output(self, index: int) -> ITensor:
        return self._outputs[index]

    def add_input(self, name: str, dtype: DataType, shape: Sequence[int]) -> ITensor:
        require(min(shape) > 0, "a static shape")
        self._inputs.append(ITensor(name, dtype, shape))
        return self._inputs[-1]

    def add_constant(self, shape: Sequence[int], weights: Weights) -> ILayer:
        require(np.prod(shape) == weights.count, "a constant of another size")
        tensor = ITensor("constant", weights.type, shape)
        self.constants[tensor] = weights
        self._layers.append(ILayer("constant", "CONSTANT", [tensor]))
        return self._layers[-1]

    def add_plugin_v3(
        self, inputs: Sequence[ITensor], shape_inputs: Sequence[ITensor], plugin: Any
    ) -> ILayer:
        require(self.node is None and not shape_inputs, "one node, without shape inputs")
        plugins.check(plugin)
        shapes = plugin.get_output_shapes(
            [each.shape for each in inputs], [], plugins.IExprBuilder()
        )
        types = plugin.get_output_data_types([each.dtype for each in inputs])
        require(len(shapes) == len(types) == plugin.num_outputs, "outputs")
        outputs = [ITensor("", *each) for each in zip(types, shapes, strict=True)]
        self.node = plugin, list(inputs), outputs
        self._layers.append(ILayer("plugin", "PLUGIN_V3", outputs))
        return self._layers[-1]

    def mark_output(self, tensor: ITensor) -> None:
        require(tensor.name, "a name")
        self._outputs.append(tensor)


def builder_class(module: Any, gpu: Gpu) -> type[Any]:
    """`Builder`, of a GPU; what fails in a plugin is said to the logger, and there is no plan."""

    class Builder:
        def __init__(self, logger: Any) -> None:
            module.logger = logger

        def create_network(self, flags: int) -> INetworkDefinition:
            require(flags == 1 << module.NetworkDefinitionCreationFlag.STRONGLY_TYPED, "flags")
            return INetworkDefinition()

        def create_builder_config(self) -> Any:
            return SimpleNamespace(progress_monitor=None)

        def build_serialized_network(
            self, network: INetworkDefinition, config: Any
        ) -> bytearray | None:
            require(config.max_aux_streams == 0, "auxiliary streams")
            try:
                return bytearray(_plan(module, gpu, network))
            except Exception as error:
                module.say(f"Error Code 10: Could not find any implementation ({error})")
                return None

    return Builder


def _plan(module: Any, gpu: Gpu, network: INetworkDefinition) -> bytes:
    assert network.node is not None
    original, inputs, outputs = network.node
    plugin = original.clone()
    plugins.check(plugin)
    _agree(plugin, [*inputs, *outputs], len(inputs))
    tensors = ([DynamicTensorDesc(each.desc) for each in side] for side in (inputs, outputs))
    plugin.configure_plugin(*tensors)
    require(plugin.get_workspace_size([], []) == 0 and not plugin.get_valid_tactics(), "tactics")
    _time(plugin, gpu, inputs, outputs)
    fields = plugin.get_fields_to_serialize()
    names = (plugin.plugin_name, plugin.plugin_version, plugin.plugin_namespace)
    node = {
        "plugin": names,
        "fields": [[fields[i].name, int(fields[i].data[0])] for i in range(len(fields))],
        "inputs": [
            ["" if each in network.constants else each.name, each.dtype.name, each.shape]
            for each in inputs
        ],
        "outputs": [[each.name, each.dtype.name, each.shape] for each in network._outputs],
    }
    require([each.name for each in outputs] == [o.name for o in network._outputs], "outputs")
    body = json.dumps(node).encode() + b"\n"
    body += b"".join(weights.read() for weights in network.constants.values())
    arch = gpu.arch
    made: bytes = module.plan_bytes(body, module.__version__, f"{arch[:-1]}.{arch[-1]}", node=True)
    plugin.destroy()
    return made


def _agree(plugin: Any, tensors: list[ITensor], inputs: int) -> None:
    """The plugin takes each tensor as it is, and in no other type or format."""
    right = [DynamicTensorDesc(each.desc) for each in tensors]
    for pos, each in enumerate(tensors):
        require(plugin.supports_format_combination(pos, right, inputs), "format")
        for wrong in (
            each.desc._replace(type=DataType.HALF),
            each.desc._replace(format=TensorFormat.CHW4),
        ):
            asked = [*right[:pos], DynamicTensorDesc(wrong), *right[pos + 1 :]]
            require(not plugin.supports_format_combination(pos, asked, inputs), "any format")


def _time(plugin: Any, gpu: Gpu, inputs: list[ITensor], outputs: list[ITensor]) -> None:
    gpu.make_current()
    descs = [[each.desc for each in side] for side in (inputs, outputs)]
    plugin.set_tactic(0)
    plugin.on_shape_change(*descs)
    memory = [[gpu.allocate(each.nbytes) for each in side] for side in descs]
    stream = gpu.open_stream()
    gpu.begin_capture(stream)
    plugin.enqueue(*descs, *memory, 0, stream)
    for action in gpu.end_capture(stream):
        action()
    gpu.close_stream(stream)
    for address in [*memory[0], *memory[1]]:
        gpu.free(address)
