"""What is spilled in a kernel's loops, and latencies in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.gpu.sass.code import Code
from bench.gpu.sass.instruction import Instruction


@dataclass(frozen=True)
class Spills:
    """Reads and writes of local memory, by how often they run."""

    once: int
    """In no loop."""
    step: int
    """In a loop, but in none of the layers: of a role, or of the head."""
    layer: int
    """In a loop of the layers: one with named barriers in another that has them."""


def spills(code: Code) -> Spills:
    """All LDL and STL."""
    once = step = layer = 0
    for i, one in enumerate(code.instructions):
        if one.family not in ("LDL", "STL"):
            continue
        if sum(i in loop for loop in code.role_loops) > 1:
            layer += 1
        elif any(i in loop for loop in code.loops):
            step += 1
        else:
            once += 1
    return Spills(once, step, layer)


def latency(instructions: Iterable[Instruction], of: Callable[[Instruction], float]) -> float:
    """Cycles from the first instruction's issue to the last one's.

    One warp alone: an instruction a clock, in order, each once the registers that it reads are
    there. What was read before the first is there. Left out: other warps on the same issue slots,
    the clocks that the code says to wait for other reasons, and bank conflicts.
    """
    ready: dict[str, float] = {}
    clock = -1.0
    for one in instructions:
        clock = max([clock + 1, *(ready.get(name, 0.0) for name in one.sources)])
        ready |= dict.fromkeys(one.results, clock + of(one))
    return clock
