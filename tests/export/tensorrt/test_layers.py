"""What the inspector and the parser say of layers is counted, and half precision is insisted on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wn_export.tensorrt import layers
from wn_export.tensorrt.layers import Layers
from wn_runtime.errors import WavestepError


@pytest.mark.parametrize("wide", [0, 50])
def test_small_float32_products_are_let_pass(wide: int) -> None:
    layers.require_half(Layers({}, {"fp16": 10_000, "fp32": wide}), "it")


def test_large_float32_products_are_not() -> None:
    with pytest.raises(WavestepError, match="of it 17% in fp32; export the graph again"):
        layers.require_half(Layers({}, {"fp16": 10_000, "fp32": 2000}), "it")


def test_a_network_without_products_is_none_of_ours() -> None:
    with pytest.raises(WavestepError, match="it has no matrix product that could be checked"):
        layers.require_half(Layers({"SHUFFLE": 3}, {}), "it")


@pytest.mark.parametrize(
    ("half", "single"),
    [("Half", "Float"), ("Row major linear FP16 format", "Row major linear FP32 format")],
)
def test_the_inspectors_description_is_counted(half: str, single: str) -> None:
    def layer(name: str, kind: str, datatype: str) -> dict[str, Any]:
        tensor = {"Name": "x", "Dimensions": [1, 8], "Format/Datatype": datatype}
        return {"Name": name, "LayerType": kind, "Inputs": [tensor], "Outputs": [tensor]}

    described = [
        layer("taps/product", "gemm", half),
        layer("head0", "gemm", single),
        layer("layer00/z", "PointWiseV2", half),
    ]
    found = layers.of_description(json.dumps({"Layers": described, "Bindings": ["sample"]}))
    assert found.types == {"gemm": 2, "PointWiseV2": 1}
    assert found.products == {"fp16": 1, "fp32": 1}


def test_a_description_of_names_only_or_of_nothing_is_no_error() -> None:
    assert layers.of_description("not JSON").types == {}
    assert layers.of_description('{"Layers": ["a", "b"]}').types == {"unknown": 2}
