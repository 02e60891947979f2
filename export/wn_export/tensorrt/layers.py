"""What the builder was given and what it made: layers by type, and in which precision products run.

Two witnesses. The parsed network says what each tensor's type is, which a strongly typed build
must keep; the inspector says what became of it in the plan, and needs the plan's GPU.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wn_runtime.engines.tensorrt.api import ICudaEngine, ILayer, INetworkDefinition, TensorRT
from wn_runtime.errors import WavestepError

_PRODUCT = "MATRIX_MULTIPLY"
_PRODUCT_NAMES = re.compile(r"gemm|gemv|mat_?mul|matrix_?multiply|conv|fully_?connected", re.I)
_NAMES = {"HALF": "fp16", "FLOAT": "fp32", "INT32": "int32", "INT64": "int64", "BOOL": "bool"}
_LARGE = 0.01
"""Share of a graph's multiplications from which a product counts as a large one."""


@dataclass(frozen=True)
class Layers:
    """Counts of a network, or of a plan."""

    types: dict[str, int]
    """Layers by type."""
    products: dict[str, int]
    """Multiplications in matrix products by precision (network), or products by it (plan)."""


def of_network(network: INetworkDefinition) -> Layers:
    """Count a parsed network."""
    types: Counter[str] = Counter()
    products: Counter[str] = Counter()
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        name = _short(layer.type)
        types[name] += 1
        if name == _PRODUCT:
            precision, multiplications = _product(layer)
            products[precision] += multiplications
    return Layers(dict(types.most_common()), dict(products))


def of_plan(trt: TensorRT, engine: ICudaEngine) -> Layers:
    """Count a loaded plan, as the inspector describes it."""
    inspector = engine.create_engine_inspector()
    return of_description(inspector.get_engine_information(trt.LayerInformationFormat.JSON))


def of_description(text: str) -> Layers:
    """Count the layers of the inspector's JSON, from 10.3's to 11.4's."""
    try:
        layers = json.loads(text).get("Layers", [])
    except (ValueError, AttributeError):
        return Layers({}, {})
    types: Counter[str] = Counter()
    products: Counter[str] = Counter()
    for layer in layers:
        if not isinstance(layer, dict):  # names only: a build of lower verbosity
            types["unknown"] += 1
            continue
        kind = str(layer.get("LayerType", "unknown"))
        types[kind] += 1
        named = " ".join(str(layer.get(key, "")) for key in ("LayerType", "Name", "TacticName"))
        tensors = [*layer.get("Inputs", []), *layer.get("Outputs", [])]
        precisions = {_described_precision(tensor) for tensor in tensors} - {None}
        if _PRODUCT_NAMES.search(named):
            products["fp32" if "fp32" in precisions else "fp16" if precisions else "unknown"] += 1
    return Layers(dict(types.most_common()), dict(products))


def require_half(layers: Layers, what: str) -> None:
    """Raise WavestepError unless the large products of a network run in half precision."""
    total = sum(layers.products.values())
    if not total:
        raise WavestepError(f"{what} has no matrix product that could be checked; it is no WaveNet")
    wide = {name: count for name, count in layers.products.items() if name != "fp16"}
    if sum(wide.values()) > _LARGE * total:
        shares = ", ".join(f"{count / total:.0%} in {name}" for name, count in wide.items())
        raise WavestepError(
            f"fp16 was asked for, but of the multiplications of {what} {shares}; export the graph "
            "again with wn-export --fp16"
        )


def _product(layer: ILayer) -> tuple[str, int]:
    """Precision and multiplications of [.., M, K] @ [.., K, N], however they are transposed."""
    left, right, out = layer.get_input(0), layer.get_input(1), layer.get_output(0)
    assert left is not None and right is not None and out is not None, layer.name  # noqa: PT018
    batch = math.prod(out.shape[:-2])
    inner = math.isqrt(_size(left.shape) * _size(right.shape) // max(_size(out.shape) * batch, 1))
    types = {_short(tensor.dtype) for tensor in (left, right, out)}
    name = _NAMES.get(types.pop(), "other") if len(types) == 1 else "mixed"
    return name, _size(out.shape) * inner


def _described_precision(tensor: Any) -> str | None:
    words = " ".join(
        str(value)
        for key, value in (tensor.items() if isinstance(tensor, dict) else ())
        if re.search("format|type", key, re.I)
    )
    if re.search(r"half|fp16|float16", words, re.I):
        return "fp16"
    return "fp32" if re.search(r"float|fp32", words, re.I) else None


def _size(shape: Sequence[int]) -> int:
    return math.prod(shape)


def _short(value: Any) -> str:
    return str(value).rsplit(".", 1)[-1]
