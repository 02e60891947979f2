"""Machine code read back from a cubin: its loops, what is spilled in them, latencies in a row.

nvdisasm (package nvidia-cuda-nvdisasm, no GPU or driver) writes a cubin out as text; the rest is
here. Loops are those of the control-flow graph: code moved out of the way by the compiler, behind
the rest of its function, belongs to the loop that it goes back into.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = ("nvidia-cuda-nvdisasm", "nvidia-cuda-nvdisasm-cu12")
_SECONDS = 120.0
_LINE = re.compile(r"^\s*/\*[0-9a-f]+\*/\s+(?:@(!?U?P(?:\d+|T))\s+)?([A-Z][\w.]*)\s*(.*?)\s*;?\s*$")
_COMMENT = re.compile(r"\(\*.*?\*\)")
_LABEL = re.compile(r"^([.$\w]+):\s*$")
_TO = re.compile(r"`\(([.$\w]+)\)")
_NAME = re.compile(r"\bU?(?:R|P)\d+\b")
_PREDICATE = re.compile(r"^U?P(?:\d+|T)$")
_REGISTER = re.compile(r"^(U?R)(\d+)\b")
_NO_RESULT = {"ST", "STS", "STG", "STL", "RED", "BAR", "BRA", "MEMBAR", "ERRBAR", "BPT", "NOP"}
_NO_RESULT |= {"EXIT", "RET", "BSSY", "BSYNC", "WARPSYNC", "CALL", "YIELD", "CCTL", "DEPBAR"}
_LEAVES = {"EXIT", "RET", "BRX", "BPT"}


class NoDisassembler(Exception):
    """nvdisasm is not installed, or does not read the cubin."""


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


def parse(text: str, kernel: str) -> Code:
    """What nvdisasm writes of one kernel. Raises ValueError for text without it."""
    lines = iter(text.splitlines())
    if not any(line.strip() == f".text.{kernel}:" for line in lines):
        raise ValueError(f"no kernel {kernel} in the cubin")
    instructions: list[Instruction] = []
    labels: dict[str, int] = {}
    for line in lines:
        if line.startswith("//-----"):
            break
        label = _LABEL.match(line)
        if label:
            labels[label[1]] = len(instructions)
            continue
        found = _LINE.match(_COMMENT.sub("", line))
        if found:
            to = _TO.search(found[3])
            operands = tuple(part.strip() for part in found[3].split(",") if part.strip())
            instructions.append(
                Instruction(found[1] or "", found[2], operands, to[1] if to else "")
            )
    labels = {name: at for name, at in labels.items() if at < len(instructions)}
    if not instructions:
        raise ValueError(f"{kernel} has no instructions")
    return Code(tuple(instructions), labels)


def disassembler() -> Path:
    """nvdisasm. Raises NoDisassembler where there is none."""
    for package in PACKAGES:
        try:
            files = importlib.metadata.files(package) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in files:
            path = Path(str(file.locate()))
            if path.name == "nvdisasm" and path.exists():
                return path
    found = shutil.which("nvdisasm")
    if found is None:
        raise NoDisassembler(f"nvdisasm is not installed; pip install {PACKAGES[0]}")
    return Path(found)


def disassemble(cubin: bytes, kernel: str) -> Code:
    """One kernel of a cubin. Raises NoDisassembler, and ValueError where it has no such kernel."""
    tool = disassembler()
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        done = subprocess.run(
            [str(tool), "-c", file.name], capture_output=True, timeout=_SECONDS, check=False
        )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise NoDisassembler(f"{tool} cannot read the cubin: {reason[-1]}")
    return parse(done.stdout.decode(), kernel)
