"""What compilers make of the cuda engine for each GPU, without one: registers, spills, latency.

    python -m bench.gpu.cubins                                       the whole table
    python -m bench.gpu.cubins --sm 87 --sm 90 --model L20 --streams 1
    python -m bench.gpu.cubins --out bench/results/cuda-cubins.txt   to a file as well
    python -m bench.gpu.cubins --random 100 --seed 0                 models by chance

The schedules are those that the engine takes. The compilers are the installed NVRTC and, beside it,
that of CUDA 12 (package nvidia-cuda-nvrtc-cu12) where there is one. Registers and spilled bytes are
ptxas's word. Where nvdisasm is installed (nvidia-cuda-nvdisasm) the machine code is read back:

spills    reads and writes of local memory: run once / once a step, the head's loops among them /
          once a layer
chain     cycles of a layer in a cluster with one stream, by the code, an H200's latencies whatever
          the GPU: the gate warps' from one z to the next / half of what the way by h takes, from z
          by the residual, older and gate warps to the z two layers on. The longer one counts

A model by chance (random_models.py) is one of any shape, on one of the GPUs, in a precision
and for a number of streams. What of its kernel breaks a rule (`faults`) is said; the exit code is
1 then.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from bench.gpu import nvrtc_cuda12
from bench.gpu.built import TARGETS, Built, Chains, Compile, build, build_choice, faults, gpu
from bench.gpu.engine import MODELS
from bench.gpu.random_models import draw
from bench.gpu.sass import disassembly, findings
from bench.gpu.sass.disassembly import NoDisassembler
from bench.repository import invocation
from wn_runtime.engines.cuda.choose import cheapest
from wn_runtime.engines.device_loop.nvrtc import compile_ahead, version
from wn_runtime.errors import EngineUnavailable

REFERENCE = ("L20-R64-S128", "L30-R64-S256")
PRECISIONS, STREAMS = ("int8", "fp16"), (1, 16)
FAULT = "    FAULT"

HEADS: tuple[str, ...] = ("sm", "model", "weights", "streams", "schedule", "threads", "regs")
HEADS += ("spilled", "spills", "shared", "kernel", "chain", "seconds")
ROW = "{:>3} {:12} {:7} {:>7} {:22} {:>7} {:>4} {:>7} {:>9} {:>7} {:>7} {:>7} {:>7}"


def row(built: Built, model: str, sm: int, streams: str) -> str:
    """A line of the table."""
    schedule, code = built.choice.schedule, built.code
    spilled, chain, size = "–", "–", "–"
    if code is not None:
        counts = findings.spills(code)
        spilled = f"{counts.once}/{counts.step}/{counts.layer}"
        size = f"{16 * len(code.instructions):,}"
        if built.has_chain:
            chains = Chains.of(code)
            chain = f"{chains.z:.0f}/{chains.h:.0f}"
    return ROW.format(
        sm,
        model,
        schedule.precision,
        streams,
        f"{built.choice.kind} {schedule.source}",
        schedule.threads,
        built.usage.registers,
        built.usage.spill_bytes,
        spilled,
        f"{schedule.shared_bytes:,}",
        size,
        chain,
        f"{built.seconds:.1f}",
    )


def compilers() -> Iterator[tuple[str, Compile]]:
    """The installed ones, with their names. Raises EngineUnavailable where there is none."""
    yield f"NVRTC {version()}", compile_ahead
    other = nvrtc_cuda12.Nvrtc.installed()
    if other is not None and not version().startswith("12."):
        yield f"NVRTC {other.version}", other.compile_ahead


def table(
    models: list[str], precisions: list[str], streams: list[int], sms: list[int]
) -> Iterator[str]:
    """Line by line."""
    try:
        yield f"read back by {disassembly.disassembler().name}"
    except NoDisassembler as reason:
        yield f"not read back: {reason}"
    for name, compile in compilers():
        yield from ("", name, ROW.format(*HEADS))
        for sm in sms:
            try:
                for model in models:
                    for precision in precisions:
                        yield from _rows(model, precision, streams, sm, compile)
            except EngineUnavailable as reason:
                yield f"{sm:3} {str(reason).split(' (')[0]}"


def _rows(
    model: str, precision: str, streams: list[int], sm: int, compile: Compile
) -> Iterator[str]:
    """Those of one model on one GPU: a schedule that serves several numbers of streams once."""
    serves: dict[str, list[int]] = {}
    for count in streams:
        kind = cheapest(MODELS[model], precision, count, gpu(sm), tried=False).kind
        serves.setdefault(str(kind), []).append(count)
    for counts in serves.values():
        built = build(model, precision, counts[0], sm, compile)
        yield row(built, model, sm, ", ".join(map(str, counts)))


def by_chance(count: int, seed: int, sms: list[int]) -> Iterator[str]:
    """Models `seed`, `seed` + 1, …: a line a compiler, and one for each fault."""
    gpus = {sm: gpu(sm) for sm in sms}
    yield ROW.format(*HEADS)
    for number in range(seed, seed + count):
        drawn = draw(number, gpus)
        for name, compile in compilers():
            try:
                built = build_choice(drawn.choice, drawn.sm, compile)
            except EngineUnavailable as reason:
                yield f"{drawn.sm:3} {str(reason).split(' (')[0]}"
                continue
            yield f"{row(built, drawn.name, drawn.sm, str(drawn.streams))} {drawn.shape}, {name}"
            yield from (f"{FAULT} {drawn.name}: {fault}" for fault in faults(built, drawn.sm))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--model", default="", help="only models whose name begins so")
@click.option("--precision", multiple=True, default=PRECISIONS)
@click.option("--streams", multiple=True, type=int, default=STREAMS)
@click.option("--sm", multiple=True, type=int, default=(*TARGETS, 121), help="87: only these")
@click.option("--random", "count", default=0, help="so many models by chance, in place of those")
@click.option("--seed", default=0, help="the first of them")
@click.option("--out", type=click.Path(path_type=Path), help="write the table there as well")
def main(
    model: str,
    precision: tuple[str, ...],
    streams: tuple[int, ...],
    sm: tuple[int, ...],
    count: int,
    seed: int,
    out: Path | None,
) -> None:
    """Compile the cuda engine's reference models for every GPU."""
    models = [name for name in REFERENCE if name.startswith(model)]
    lines = [f"$ {invocation()}"]
    try:
        reference = table(models, list(precision), list(streams), list(sm))
        for line in by_chance(count, seed, list(sm)) if count else reference:
            print(line, flush=True)
            lines.append(line)
            if out:
                out.write_text("\n".join(lines) + "\n", "utf-8")
    except EngineUnavailable as reason:
        raise SystemExit(f"error: {reason}") from None
    if any(line.startswith(FAULT) for line in lines):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
