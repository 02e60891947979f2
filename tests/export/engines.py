"""Leaving engines out for a while, with the table put back in its order: the order is a choice."""

from collections.abc import Iterator
from contextlib import contextmanager

from wn_runtime.engines.engine import ENGINES


@contextmanager
def onnx_only() -> Iterator[None]:
    """No engine but ONNX Runtime; the others' parity is their own tests' business."""
    table = dict(ENGINES)
    for name in table.keys() - {"onnx"}:
        del ENGINES[name]
    try:
        yield
    finally:
        ENGINES.clear()
        ENGINES.update(table)
