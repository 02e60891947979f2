"""Tensors as the stand-in for TensorRT describes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

import numpy as np


class DataType(Enum):
    FLOAT, HALF, INT32 = range(3)


class TensorFormat(Enum):
    LINEAR, CHW4 = range(2)


class TensorIOMode(Enum):
    INPUT, OUTPUT = range(2)


ELEMENTS: dict[DataType, type[Any]] = {
    DataType.FLOAT: np.float32,
    DataType.HALF: np.float16,
    DataType.INT32: np.int32,
}


class TensorDesc(NamedTuple):
    """PluginTensorDesc."""

    dims: Sequence[int]
    type: DataType
    format: TensorFormat = TensorFormat.LINEAR

    @property
    def nbytes(self) -> int:
        return math.prod(self.dims) * np.dtype(ELEMENTS[self.type]).itemsize


class DynamicTensorDesc(NamedTuple):
    """DynamicPluginTensorDesc."""

    desc: TensorDesc
