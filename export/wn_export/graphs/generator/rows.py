"""What differs from sample to sample and is known before: cut into blocks, and those into samples.

A row called NAME is of the tensor `call/NAME` in the graph, `block/NAME` in that of a block, and is
`now/NAME` in that of a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wn_export.graphs.builder import GraphBuilder


@dataclass(frozen=True)
class Row:
    """Of a tensor with a row a sample."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


Rows = Mapping[str, Row]


def cut(block: GraphBuilder, rows: Rows, start: str, end: str) -> None:
    """Samples `start` to `end` of each, in the graph of a block; the last block may have fewer."""
    for name in rows:
        block.node("Slice", f"block/{name}", f"call/{name}", start, end)


def declare(step: GraphBuilder, rows: Rows) -> None:
    """Declare those of one sample the inputs of a step."""
    for name, row in rows.items():
        step.input(f"now/{name}", row.shape, row.dtype)
