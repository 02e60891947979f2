"""What each role of a cluster's warps does for a layer, from where it waits to where it hands over.

gate      the z before, and the sums beside it  ->  z
residual  z  ->  h of the next layer
older     h  ->  its share of the sums of the layer after
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from bench.gpu.sass.code import Code
from bench.gpu.sass.instruction import Instruction

PRODUCTS = ("IMMA", "HMMA")


def stages(code: Code) -> dict[str, list[Instruction]]:
    """Of the roles that are found, the instructions in a row, wait and arrival among them.

    Of a kernel for one stream in several blocks, with one product a layer.
    """
    found: dict[str, list[Instruction]] = {}
    for loop in code.role_loops:
        role = _role(code, loop)
        if role and role not in found and not any(other < loop for other in code.role_loops):
            ways = list(_ways(code, loop))
            if ways:
                found[role] = max(ways, key=products)
    return found


def products(instructions: list[Instruction]) -> int:
    """How many there are of them."""
    return sum(one.family in PRODUCTS for one in instructions)


def _role(code: Code, loop: frozenset[int]) -> str:
    """Whose loop of the layers it is; empty for any other."""
    of = [code.instructions[i] for i in loop]
    if any(one.opcode.startswith("MUFU.TANH") for one in of):
        return "gate"
    if not products(of):
        return ""
    return "older" if any(one.family == "STG" for one in of) else "residual"  # the delay lines


def _ways(code: Code, loop: frozenset[int]) -> Iterator[list[Instruction]]:
    """From a wait to an arrival: for each number of products on the way the shortest one."""
    of = code.instructions
    for start in loop:
        if not of[start].is_barrier_wait:
            continue
        before: dict[tuple[int, int], tuple[int, int] | None] = {(start, 0): None}
        waiting = deque(before)
        while waiting:
            at, count = here = waiting.popleft()
            if of[at].is_barrier_arrival:
                yield _back(code, before, here)
                continue
            for to in code.next[at]:
                there = to, count + (of[to].family in PRODUCTS)
                new = there not in before and there[1] <= len(loop)
                if new and to in loop and not of[to].is_barrier_wait:
                    before[there] = here
                    waiting.append(there)


def _back(
    code: Code, before: dict[tuple[int, int], tuple[int, int] | None], end: tuple[int, int]
) -> list[Instruction]:
    way, at = [], before[end]
    while at is not None:
        way.append(code.instructions[at[0]])
        at = before[at]
    return [*way[::-1], code.instructions[end[0]]]
