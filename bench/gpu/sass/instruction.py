"""One line of SASS: what it waits for, and what it writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

_NAME = re.compile(r"\bU?(?:R|P)\d+\b")
_PREDICATE = re.compile(r"^U?P(?:\d+|T)$")
_REGISTER = re.compile(r"^(U?R)(\d+)\b")
_NO_RESULT = {"ST", "STS", "STG", "STL", "RED", "BAR", "BRA", "MEMBAR", "ERRBAR", "BPT", "NOP"}
_NO_RESULT |= {"EXIT", "RET", "BSSY", "BSYNC", "WARPSYNC", "CALL", "YIELD", "CCTL", "DEPBAR"}


@dataclass(frozen=True)
class Instruction:
    """One line of SASS."""

    guard: str
    """The predicate it runs under, `P0` or `!P0`; empty: always."""
    opcode: str
    """`LDS.128`."""
    operands: tuple[str, ...]
    to: str
    """The label it names; empty where it names none."""

    @property
    def family(self) -> str:
        """`LDS` of `LDS.128`."""
        return self.opcode.split(".")[0]

    @property
    def is_barrier_wait(self) -> bool:
        """Waits at a named barrier; 0 is __syncthreads'."""
        return self.opcode.startswith("BAR.SYNC") and self.operands[:1] != ("0x0",)

    @property
    def is_barrier_arrival(self) -> bool:
        """Arrives at a named barrier without waiting."""
        return self.opcode.startswith("BAR.ARV")

    @cached_property
    def results(self) -> frozenset[str]:
        """Registers and predicates that it writes."""
        if self.family in _NO_RESULT:
            return frozenset()
        found: set[str] = set()
        rest = list(self.operands)
        while rest and _PREDICATE.match(rest[0]):
            found.add(rest.pop(0))
        if not (found and "SETP" in self.family) and rest:
            register = _REGISTER.match(rest.pop(0))
            if register:
                kind, first = register[1], int(register[2])
                found |= {f"{kind}{first + i}" for i in range(_width(self))}
            while rest and _PREDICATE.match(rest[0]):  # carries
                found.add(rest.pop(0))
        return frozenset(found)

    @cached_property
    def sources(self) -> frozenset[str]:
        """Registers and predicates that it waits for."""
        found = {name for text in (self.guard, *self.operands) for name in _NAME.findall(text)}
        if not self.guard:  # where it does not run the old value stays, so it is read
            registers = [i for i, text in enumerate(self.operands) if _REGISTER.match(text)]
            if self.results and registers:
                others = self.operands[registers[0] + 1 :]
                found = {name for text in others for name in _NAME.findall(text)}
        if self.family in ("IMMA", "HMMA"):
            for text in self.operands[1:]:
                register = _REGISTER.match(text)
                if register:
                    first = int(register[2])
                    wide = 2 if ".COL" in text else 4
                    found |= {f"{register[1]}{first + i}" for i in range(wide)}
        return frozenset(found)


def _width(instruction: Instruction) -> int:
    """Registers of a result."""
    parts = instruction.opcode.split(".")
    if instruction.family in ("IMMA", "HMMA"):
        return 2 if "8816" in parts else 4
    if "128" in parts:
        return 4
    return 2 if "64" in parts or "WIDE" in parts or instruction.family == "CS2R" else 1
