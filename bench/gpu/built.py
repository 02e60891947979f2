"""A kernel of the cuda engine as a compiler makes it for a GPU, and what it may not have."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.gpu.engine import MODELS
from bench.gpu.sass import disassembly, findings
from bench.gpu.sass.code import Code
from bench.gpu.sass.disassembly import NoDisassembler
from bench.gpu.sass.instruction import Instruction
from bench.gpu.sass.stages import stages
from bench.repository import ROOT
from wn_runtime.engines.cuda.choose import Choice, cheapest
from wn_runtime.engines.cuda.costs import Gpu
from wn_runtime.engines.cuda.source import GENERATE, source
from wn_runtime.engines.device_loop.nvrtc import Compiled, Usage, compile_ahead
from wn_targets.devices.catalogue import find
from wn_targets.models.cuda import cuda_gpu

TARGETS = {
    75: "t4",
    80: "a100",
    86: "a10",
    87: "orin-nano-8gb",
    89: "l4",
    90: "h200",
    100: "b200",
    110: "thor-t5000",
    120: "rtx-5090",
}
CONSTANTS = ROOT / "bench/results" / "gpu-constants-h200.json"
ARITHMETIC_CYCLES = 4.0
"""Of an instruction of the vector units, until the next can use its result. [P: Jia et al.,
"Dissecting the NVIDIA Volta GPU Architecture via Microbenchmarking", 2018; A: the same since]"""
Z_BUDGET = 200.0
"""Cycles that a layer may take by its code from z to z: an H200's one product with one read before
it, two tanh and a turn take 186. One product or read of shared memory more is over it."""
H_BUDGET = 275.0
"""The same by way of h, half of what two layers take: three products, as many reads and turns,
quantising and two tanh take 240 to 272."""
BARRIERS = 16
"""Named barriers that a block has."""
PARTITIONS, PARTITION_REGISTERS = 4, 16384
"""A multiprocessor's register file, and how its warps share it out."""

Compile = Callable[[str, str], Compiled]


def gpu(sm: int) -> Gpu:
    """The one that a compute capability is compiled for here."""
    if sm == 121:
        return Gpu("12.1", 48, 99 * 1024)  # GB10
    target = find(TARGETS[sm])
    assert target.gpu is not None
    return cuda_gpu(target, target.gpu)


@dataclass(frozen=True)
class Built:
    """A kernel that was compiled."""

    choice: Choice
    compiled: Compiled
    seconds: float
    code: Code | None
    """None without nvdisasm."""

    @property
    def usage(self) -> Usage:
        """Of the kernel that generates."""
        return self.compiled.usage[GENERATE]

    @property
    def has_chain(self) -> bool:
        """Whether its gate warps go from z to z: `Chains` is for these."""
        schedule = self.choice.schedule
        return schedule.chained and schedule.streams == 1


def build(
    model: str, precision: str, streams: int, sm: int, compile: Compile = compile_ahead
) -> Built:
    """Raises EngineUnavailable where the compiler does not know the GPU."""
    return build_choice(
        cheapest(MODELS[model], precision, streams, gpu(sm), tried=False), sm, compile
    )


def build_choice(choice: Choice, sm: int, compile: Compile = compile_ahead) -> Built:
    """The same of a schedule."""
    started = time.perf_counter()
    compiled = compile(source(choice.schedule), gpu(sm).compute_capability)
    seconds = time.perf_counter() - started
    try:
        code = disassembly.disassemble(compiled.code, GENERATE)
    except NoDisassembler:
        code = None
    return Built(choice, compiled, seconds, code)


def cycles(instruction: Instruction) -> float:
    """Until the next can use its result: of an H200, `constants.py`."""
    measured = _measured()
    convert = (measured["to_int_and_back"] - ARITHMETIC_CYCLES) / 2  # two of them, and a sum
    return {
        "LDS": measured["shared_read"],
        "IMMA": measured["product_int8"],
        "HMMA": measured["product_half"],
        "MUFU": measured["tanh_chain"],
        "SHFL": measured["shuffle"],
        "I2F": convert,
        "I2FP": convert,
        "F2I": convert,
    }.get(instruction.family, ARITHMETIC_CYCLES)


@dataclass(frozen=True)
class Chains:
    """Cycles of a layer by the two ways on which the next sample waits, a turn of warps a stage."""

    z: float
    """From a layer's z to the next one's, by the gate warps."""
    h: float
    """From z by the residual warps, the older warps and the gate warps to the z two layers on: a
    half of it. 0 where the code does not tell these roles' loops apart."""

    @classmethod
    def of(cls, code: Code) -> Chains:
        """Of a kernel with `has_chain`. Raises ValueError where no loop has a tanh and barriers."""
        found, turn = stages(code), _measured()["turns"]
        if "gate" not in found:
            raise ValueError("no loop has a tanh, a wait at a named barrier and an arrival at one")
        taken = {role: findings.latency(way, cycles) + turn for role, way in found.items()}
        return cls(taken["gate"], sum(taken.values()) / 2 if len(taken) == 3 else 0.0)


def _measured() -> dict[str, float]:
    if not _MEASURED:
        _MEASURED.update(json.loads(CONSTANTS.read_text("utf-8"))["cycles"])
    return _MEASURED


_MEASURED: dict[str, float] = {}


def registers_fit(built: Built) -> bool:
    """Whether the warps of a block find their registers; each partition has every fourth warp."""
    warps = -(-built.choice.schedule.threads // (32 * PARTITIONS))
    return warps * 32 * (-(-built.usage.registers // 8) * 8) <= PARTITION_REGISTERS


def faults(built: Built, sm: int) -> list[str]:
    """What no kernel may have, whatever its model."""
    schedule, usage, found = built.choice.schedule, built.usage, []
    if not registers_fit(built):
        found.append(f"{schedule.threads} threads of {usage.registers} registers do not fit")
    if schedule.shared_bytes > gpu(sm).shared_bytes:
        found.append(f"{schedule.shared_bytes} bytes of shared memory of {gpu(sm).shared_bytes}")
    if usage.barriers > BARRIERS:
        found.append(f"{usage.barriers} named barriers")
    if built.code is not None and schedule.streams == 1 and schedule.source != "direct":
        spilled = findings.spills(built.code).layer
        if spilled:
            found.append(f"{spilled} reads and writes of local memory in a layer")
    return found
