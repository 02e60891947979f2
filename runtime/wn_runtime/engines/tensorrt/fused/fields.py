"""A node as the fields of a plugin, which are all that a plan keeps of it.

Each field is one number, eight bytes of the node's JSON: of a longer field the bindings of 10.3 to
10.13 give the first number only, over and over, where NumPy is 2.0 or newer. And the fields must
be kept for as long as TensorRT reads them: their collection has addresses.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from wn_runtime.engines.tensorrt.api import PluginField, TensorRT
from wn_runtime.engines.tensorrt.fused.node import FusedNode
from wn_runtime.model import json_file, strict

_BYTES = 8


def to_fields(trt: TensorRT, node: FusedNode) -> list[PluginField]:
    """Of TensorRT's class, each with its place as its name."""
    text = json.dumps(strict.plain(node), separators=(",", ":")).encode("ascii")
    words = np.frombuffer(text.ljust(-(-len(text) // _BYTES) * _BYTES), np.int64)
    kind = trt.PluginFieldType.INT64
    return [trt.PluginField(str(i), words[i : i + 1].copy(), kind) for i in range(len(words))]


def from_fields(fields: Iterable[Any]) -> FusedNode:
    """The node of a plan's fields. Raises WavestepError where they are of none."""
    try:
        words = {int(field.name): int(field.data[0]) for field in fields}
        text = b"".join(
            words[i].to_bytes(_BYTES, sys.byteorder, signed=True) for i in sorted(words)
        )
        found = json_file.loads(text.decode("ascii"))
    except (ValueError, IndexError, TypeError) as error:
        found = f"fields that are no JSON ({error})"
    return strict.parse(FusedNode, found, "the plan's plugin")
