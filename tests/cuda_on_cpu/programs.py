"""What a plan of the stand-in for TensorRT runs: an ONNX graph, or a plugin and its constants."""

from __future__ import annotations

import ctypes
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort

from tests.cuda_on_cpu import plugins
from tests.cuda_on_cpu.gpu import Gpu, require
from tests.cuda_on_cpu.tensors import ELEMENTS, DataType, TensorDesc, TensorIOMode

Tensors = dict[str, tuple[TensorIOMode, TensorDesc]]
Enqueue = Callable[[dict[str, int], int], None]
"""Addresses by name, and a stream."""
_TYPES = {
    "tensor(float)": DataType.FLOAT,
    "tensor(float16)": DataType.HALF,
    "tensor(int32)": DataType.INT32,
}


class Graph:
    """Run by ONNX Runtime's CPU provider."""

    def __init__(self, gpu: Gpu, onnx: bytes) -> None:
        self._gpu = gpu
        options = ort.SessionOptions()
        options.log_severity_level = 4
        self._session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        self.tensors: Tensors = {
            value.name: (mode, TensorDesc(tuple(value.shape), _TYPES[value.type]))
            for mode, values in (
                (TensorIOMode.INPUT, self._session.get_inputs()),
                (TensorIOMode.OUTPUT, self._session.get_outputs()),
            )
            for value in values
        }

    def attach(self) -> tuple[Enqueue, Callable[[], None]]:
        """For an execution context: what runs it, and what is done when that goes."""

        def enqueue(addresses: dict[str, int], stream: int) -> None:
            self._gpu.enqueue(stream, lambda: self._run(addresses))

        return enqueue, self.destroy

    def destroy(self) -> None:
        """The engine goes."""

    def _run(self, addresses: dict[str, int]) -> None:
        views = {}
        for name, (_, desc) in self.tensors.items():
            self._gpu.check(addresses[name], desc.nbytes)
            memory: Any = (ctypes.c_char * desc.nbytes).from_address(addresses[name])
            views[name] = np.frombuffer(memory, ELEMENTS[desc.type]).reshape(desc.dims)
        names = [n for n, tensor in self.tensors.items() if tensor[0] is TensorIOMode.OUTPUT]
        inputs = {name: views[name].copy() for name in views if name not in names}
        for name, result in zip(names, self._session.run(names, inputs), strict=True):
            views[name][...] = result


class Node:
    """A plugin that is found in the registry. Raises what it raises."""

    def __init__(self, module: Any, gpu: Gpu, body: bytes) -> None:
        """Raises ValueError where the registry has no such plugin."""
        head, constants = body.split(b"\n", 1)
        made = json.loads(head)
        creator = module.get_plugin_registry().get_creator(*made["plugin"])
        if creator is None:
            raise ValueError(f"Cannot find plugin {made['plugin'][0]}, is it registered?")
        kind = plugins.PluginFieldType.INT64
        fields = [
            plugins.PluginField(name, np.array([word]), kind) for name, word in made["fields"]
        ]
        collection = plugins.PluginFieldCollection(fields)
        phase = plugins.TensorRTPhase.RUNTIME
        self._plugin = creator.create_plugin(made["plugin"][0], collection, phase)
        plugins.check(self._plugin)
        self.tensors: Tensors = {}
        self._gpu = gpu
        self._sides: tuple[list[tuple[str, TensorDesc]], ...] = ([], [])
        self._constant = gpu.allocate(len(constants))
        ctypes.memmove(self._constant, constants, len(constants))
        for mode, side, described in zip(
            TensorIOMode, self._sides, (made["inputs"], made["outputs"]), strict=True
        ):
            for name, dtype, shape in described:
                desc = TensorDesc(tuple(shape), DataType[dtype])
                side.append((name, desc))
                if name:
                    self.tensors[name] = mode, desc
        size = math.prod(next(desc for name, desc in self._sides[0] if not name).dims)
        require(4 * size == len(constants), "constants of another size")

    def attach(self) -> tuple[Enqueue, Callable[[], None]]:
        """For an execution context: what runs it, and what is done when that goes."""
        plugin = self._plugin.attach_to_context(object())
        plugins.check(plugin)
        plugin.set_tactic(0)
        descs = [[desc for _, desc in side] for side in self._sides]
        bound: dict[str, int] = {}

        def enqueue(addresses: dict[str, int], stream: int) -> None:
            nonlocal bound
            if addresses != bound:
                plugin.on_shape_change(*descs)
                bound = addresses
            at = [[addresses.get(name, self._constant) for name, _ in side] for side in self._sides]
            plugin.enqueue(*descs, *at, 0, stream)

        return enqueue, plugin.destroy

    def destroy(self) -> None:
        """The engine goes, and its constants."""
        self._plugin.destroy()
        self._gpu.free(self._constant)
