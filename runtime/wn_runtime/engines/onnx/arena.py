"""A bound on the memory that ONNX Runtime takes for a graph.

A few hundred bytes of graph can ask for all memory there is (a tensor joined to itself thirty
times), and the system then kills whatever it likes. ONNX Runtime has no limit of a session, but one
of an allocator that sessions share.
"""

from __future__ import annotations

import functools
from typing import Any

LIMIT = 640 * 2**20
"""Bytes for the weights and tensors of all sessions together."""
_SMALL = LIMIT // 4
"""Bytes of a graph that surely does with it; a larger one takes memory of its own."""


def bound(options: Any, graph: bytes, ort: Any) -> None:
    """Let a session of `graph` with these SessionOptions allocate within the limit.

    ort: the module onnxruntime.
    """
    if len(graph) <= _SMALL and _registered(ort):
        options.add_session_config_entry("session.use_env_allocators", "1")


@functools.cache
def _registered(ort: Any) -> bool:
    try:
        cpu = ort.OrtMemoryInfo(
            "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
        )
        same_as_requested, default = 1, -1
        ort.create_and_register_allocator(
            cpu, ort.OrtArenaCfg(LIMIT, same_as_requested, default, default)
        )
    except Exception:  # another program in this process has one already: that one is used
        return False
    return True
