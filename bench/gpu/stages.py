"""What each role of a cluster's warps does for a layer, read back from machine code.

From the named barrier that a role waits at to the one at which it hands over what it made:

gate      the z before  -->  z
sums      the sums beside it, which the gate warps take last  -->  z
residual  z  -->  h of the next layer
older     h  -->  its share of the sums of the layer after
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from bench.gpu.sass import Code, Instruction

ROLES = ("gate", "sums", "residual", "older")
PRODUCTS = ("IMMA", "HMMA")


def stages(code: Code) -> dict[str, list[Instruction]]:
    """Of each role the instructions in a row, wait and arrival among them.

    Of a kernel for one stream in a cluster, with one product a layer. Raises ValueError where a
    role's loop is not found.
    """
    found: dict[str, list[Instruction]] = {}
    for loop in code.role_loops:
        role = _role(code, loop)
        if not role or role in found or any(other < loop for other in code.role_loops):
            continue
        ways = _from_waits(code, loop)
        found[role] = ways[0]
        if role == "gate":
            found["sums"] = ways[-1]
    if len(found) < len(ROLES):
        raise ValueError(f"loops of {', '.join(found) or 'no role'} alone")
    return found


def _role(code: Code, loop: frozenset[int]) -> str:
    """Whose loop of the layers it is; empty for any other."""
    of = code.instructions
    families = {of[i].family for i in loop}
    both = any(of[i].is_barrier_wait for i in loop) and any(of[i].is_barrier_arrival for i in loop)
    if not both or not families.intersection(PRODUCTS):
        return ""
    if any(of[i].opcode.startswith("MUFU.TANH") for i in loop):
        return "gate"
    return "older" if "STG" in families else "residual"  # who writes the delay lines


def _from_waits(code: Code, loop: frozenset[int]) -> list[list[Instruction]]:
    """From each wait to the arrival, with as many products as can be, the shortest way.

    The longest comes first: of gate warps that is from z to z, the last from the sums on.
    """
    of = code.instructions
    found = []
    for start in loop:
        if not of[start].is_barrier_wait:
            continue
        ways = _ways(code, loop, start)
        if ways:
            found.append([of[i] for i in max(ways, key=lambda way: _products(of, way))])
    return sorted(found, key=len, reverse=True)


def _ways(code: Code, loop: frozenset[int], start: int) -> list[list[int]]:
    """For each number of products, the shortest way to an arrival that has so many."""
    of = code.instructions
    before: dict[tuple[int, int], tuple[int, int] | None] = {(start, 0): None}
    waiting, ends = deque(before), []
    while waiting:
        at, products = here = waiting.popleft()
        if of[at].is_barrier_arrival:
            ends.append(here)
            continue
        for to in code.next[at]:
            there = to, products + (of[to].family in PRODUCTS)
            if to in loop and to != start and there not in before and there[1] <= len(loop):
                before[there] = here
                waiting.append(there)
    ways = []
    for end in ends:
        way: list[int] = []
        step: tuple[int, int] | None = end
        while step is not None:
            way.append(step[0])
            step = before[step]
        ways.append(way[::-1])
    return ways


def _products(of: Sequence[Instruction], way: Sequence[int]) -> int:
    return sum(of[i].family in PRODUCTS for i in way)
