"""What a plan keeps of its node comes back as it was, and anything else is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.cuda_on_cpu import plugins
from tests.models.specs import CORNERS
from wn_runtime.engines.tensorrt.fused.fields import from_fields, to_fields
from wn_runtime.engines.tensorrt.fused.node import FusedNode
from wn_runtime.engines.tensorrt.fused.record import FusedRecord
from wn_runtime.errors import WavestepError

NODE = FusedNode(CORNERS["uneven"], "fp16", 3, "8.7", FusedRecord("alone:4", 166912, "ab" * 32))


def field(name: str, data: list[int]) -> plugins.PluginField:
    return plugins.PluginField(name, np.array(data, np.int64), plugins.PluginFieldType.INT64)


def test_a_node_comes_back_in_any_order_of_its_fields() -> None:
    kept = to_fields(plugins, NODE)  # type: ignore[arg-type]
    assert all(len(each._data) == 1 for each in kept)  # type: ignore[attr-defined]
    assert from_fields(kept) == NODE
    assert from_fields(kept[::-1]) == NODE


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([], "fields that are no JSON"),
        ([field("pads", [1])], "fields that are no JSON"),
        ([field("0", [])], "fields that are no JSON"),
        ([field("0", [-1])], "fields that are no JSON"),
        ([field("0", [int.from_bytes(b"[1,2,3] ", "little")])], "expected a table of keys"),
        ([field("0", [int.from_bytes(b"{}      ", "little")])], "key 'spec' is missing"),
        ([field("0", [int.from_bytes(b'{"a":1} ', "little")])], "key 'a' is unknown; the keys are"),
    ],
)
def test_what_is_no_node_is_one_line(fields: list[Any], said: str) -> None:
    with pytest.raises(WavestepError, match=f"^the plan's plugin: .*({said})"):
        from_fields(fields)
