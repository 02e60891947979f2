"""A kernel's machine code, and its loops.

They are those of the control-flow graph: code moved out of the way by the compiler, behind the rest
of its function, belongs to the loop that it goes back into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.gpu.sass.instruction import Instruction

_LEAVES = {"EXIT", "RET", "BRX", "BPT"}


@dataclass(frozen=True)
class Code:
    """One kernel."""

    instructions: tuple[Instruction, ...]
    labels: dict[str, int]
    """To the instruction that follows."""

    @cached_property
    def next(self) -> list[tuple[int, ...]]:
        """Of each instruction, those that can be next; calls are taken to come back."""
        found = []
        for i, one in enumerate(self.instructions):
            after = (i + 1,) if i + 1 < len(self.instructions) else ()
            there = (self.labels[one.to],) if one.to in self.labels else ()
            if one.family == "BRA":
                always = not one.guard and one.opcode == "BRA" and len(one.operands) == 1
                found.append(there if always else tuple({*there, *after}))
            elif one.family in _LEAVES and not one.guard:
                found.append(())
            else:
                found.append(after)
        return found

    @cached_property
    def loops(self) -> list[frozenset[int]]:
        """The instructions of each natural loop; those of one head are one loop."""
        order, before = _reverse_postorder(self.next)
        dominators = _dominators(order, before)
        bodies: dict[int, set[int]] = {}
        for i in order:
            for head in self.next[i]:
                if _dominates(dominators, head, i):
                    body = bodies.setdefault(head, {head})
                    waiting = [i]
                    while waiting:
                        at = waiting.pop()
                        if at not in body:
                            body.add(at)
                            waiting += before[at]
        return [frozenset(body) for body in bodies.values()]

    @cached_property
    def role_loops(self) -> list[frozenset[int]]:
        """Those in which warps meet at named barriers: of the steps, and in them of the layers."""
        of = self.instructions
        return [
            loop
            for loop in self.loops
            if any(of[i].is_barrier_wait or of[i].is_barrier_arrival for i in loop)
        ]


def _reverse_postorder(after: Sequence[Sequence[int]]) -> tuple[list[int], dict[int, list[int]]]:
    """What can be reached from the first, and what comes before each."""
    order: list[int] = []
    before: dict[int, list[int]] = {0: []}
    stack: list[tuple[int, int]] = [(0, 0)]
    while stack:
        at, turn = stack.pop()
        if turn < len(after[at]):
            stack.append((at, turn + 1))
            to = after[at][turn]
            if to not in before:
                before[to] = []
                stack.append((to, 0))
            before[to].append(at)
        else:
            order.append(at)
    return order[::-1], before


def _dominators(order: list[int], before: Mapping[int, list[int]]) -> dict[int, int]:
    """The immediate one of each (Cooper, Harvey, Kennedy, 2001)."""
    place = {at: i for i, at in enumerate(order)}
    found = {order[0]: order[0]}
    changed = True
    while changed:
        changed = False
        for at in order[1:]:
            known = [one for one in before[at] if one in found]
            best = known[0]
            for other in known[1:]:
                while best != other:
                    if place[best] > place[other]:
                        best = found[best]
                    else:
                        other = found[other]
            if found.get(at) != best:
                found[at], changed = best, True
    return found


def _dominates(dominators: Mapping[int, int], one: int, at: int) -> bool:
    while at != one:
        if dominators[at] == at:
            return False
        at = dominators[at]
    return True
