"""TensorRT's plugins in the stand-in: what ours is derived from, its fields, and the registry.

As strict as the oldest real one that counts: a collection has the addresses of fields, not the
fields, and of a field's data only the first number is to be had (10.3 with NumPy 2).
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from tests.cuda_on_cpu.gpu import require


class PluginFieldType(Enum):
    INT64 = 10


class TensorRTPhase(Enum):
    BUILD, RUNTIME = range(2)


class PluginCapabilityType(Enum):
    CORE, BUILD, RUNTIME = range(3)


class PluginField:
    def __init__(self, name: str, data: Any, type: PluginFieldType) -> None:
        require(data.dtype == np.int64 and type is PluginFieldType.INT64, "numbers of 64 bits")
        self.name, self._data = name, data

    @property
    def data(self) -> Any:
        return np.full_like(self._data, self._data[:1])


class PluginFieldCollection:
    def __init__(self, arg0: Sequence[PluginField]) -> None:
        self._fields = [weakref.ref(field) for field in arg0]

    def __len__(self) -> int:
        return len(self._fields)

    def __getitem__(self, index: int) -> PluginField:
        field = self._fields[index]()
        assert field is not None, "a field was given up while its collection is in use"
        return field


class _Interface:
    """A base of plugins; its constructor must be called, as pybind11 has it."""

    made = 0

    def __init__(self) -> None:
        self.made += 1


class IPluginV3(_Interface): ...


class IPluginV3OneCore(_Interface): ...


class IPluginV3OneBuild(_Interface): ...


class IPluginV3OneRuntime(_Interface): ...


class IPluginCreatorV3One(_Interface): ...


INTERFACES = (IPluginV3, IPluginV3OneCore, IPluginV3OneBuild, IPluginV3OneRuntime)


def check(plugin: Any) -> None:
    """That all a plugin must have is there."""
    require(all(isinstance(plugin, each) for each in INTERFACES), "no plugin")
    require(plugin.made == len(INTERFACES), "a base's constructor was not called")
    for kind in PluginCapabilityType:
        require(plugin.get_capability_interface(kind) is plugin, "capability")


class IPluginRegistry:
    def __init__(self) -> None:
        self._creators: dict[tuple[str, str, str], Any] = {}

    def get_creator(self, type: str, version: str, plugin_namespace: str) -> Any:
        return self._creators.get((type, version, plugin_namespace))

    def register_creator(self, creator: Any, plugin_namespace: str) -> bool:
        require(isinstance(creator, IPluginCreatorV3One) and creator.made, "no creator")
        key = creator.name, creator.plugin_version, plugin_namespace
        require(creator.plugin_namespace == plugin_namespace, "two namespaces")
        return self._creators.setdefault(key, creator) is creator


class DimsExprs(tuple[int, ...]):
    def __new__(cls, arg0: Sequence[int]) -> DimsExprs:
        return super().__new__(cls, arg0)


class IExprBuilder:
    def constant(self, arg0: int) -> int:
        require(type(arg0) is int and arg0 >= 0, "a size")
        return arg0
