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


def chain(code: Code) -> list[Instruction]:
    """What the gate warps of a cluster make one after another for a layer, LAYER_READY to Z_READY.

    The loop that has a tanh, a wait at a named barrier and an arrival at one, from the wait to the
    arrival. Raises ValueError where there is none, or it branches between them.
    """
    of = code.instructions
    for loop in sorted(code.loops, key=len):
        waits = [i for i in loop if of[i].is_barrier_wait]
        gates = any(of[i].opcode.startswith("MUFU.TANH") for i in loop)
        if not (gates and waits and any(of[i].is_barrier_arrival for i in loop)):
            continue
        found, at = [of[waits[0]]], waits[0]
        while not of[at].is_barrier_arrival:
            ahead = [to for to in code.next[at] if to in loop]
            if len(ahead) != 1 or len(found) > len(loop):
                raise ValueError(f"the gate warps' loop branches at {of[at].opcode}")
            at = ahead[0]
            found.append(of[at])
        return found
    raise ValueError("no loop has a tanh, a wait at a named barrier and an arrival at one")


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
