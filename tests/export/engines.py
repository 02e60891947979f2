"""Leaving engines out for a while, with the table put back in its order: the order is a choice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wn_runtime.engines.registry import ENGINES

_EVERY = dict(ENGINES)


@contextmanager
def engines(*names: str) -> Iterator[None]:
    """No engines but these; the others' parity is their own tests' business."""
    table = dict(ENGINES)
    ENGINES.clear()
    ENGINES.update({name: kind for name, kind in _EVERY.items() if name in names})
    try:
        yield
    finally:
        ENGINES.clear()
        ENGINES.update(table)
