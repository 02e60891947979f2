"""What the native engine's code costs apart from memory, for wn-targets' model of a CPU.

    python -m bench.native.cost x86     µs of a step on this machine, for each x86-64 level it runs
    python -m bench.native.cost arm     instructions of a step under qemu-aarch64: exact
    python -m bench.native.cost armv7   the same of 32-bit Arm (qemu-arm)
    python -m bench.native.cost rv64    and of RISC-V (qemu-riscv64)

Names of SHAPES after it leave the others out: emulators are slow.

wavenet.c is compiled as a program with a model of zeros, which costs what any model costs but
lies in one page of memory, so that no cache counts. Needs gcc, or aarch64-linux-gnu-gcc, or zig
(`wavestep[cc]`), and the emulator.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from wn_runtime.engines.native import compiler as build
from wn_runtime.engines.native import cpu, zig
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.work import Work
from wn_targets.presets import PRESETS

_PAPER, _MEDIUM = PRESETS["paper"], PRESETS["medium"]
SHAPES = PRESETS | {  # in the presets alone products and gate channels grow together
    "paper S64": replace(_PAPER, skip_channels=64),
    "paper S1024": replace(_PAPER, skip_channels=1024),
    "paper G32": replace(_PAPER, gate_channels=32),
    "medium H1024": replace(_MEDIUM, head_channels=1024),
    "medium kernel 3": replace(_MEDIUM, kernel=3),
}
PROGRAM = """
#include "wavenet.c"
#include <stdlib.h>
static model m;
static state s;
static int32_t uniforms[8192 * UNIFORMS];
static sample samples[8192];
static const float inverse_temperature[1] = {1};
int main(int count, char **words) {
    int steps = atoi(words[count - 1]);
    if (wn_prepare()) return 1;
    for (int i = 0; i < steps * UNIFORMS; i++) uniforms[i] = 1 << 23;
    wn_generate(&m, &s, 0, steps, 0, 1, 0, 1, uniforms, inverse_temperature, samples);
    return 0;
}
"""
PRECISIONS = ("fp32", "bf16", "int8")
ARM_GCC = "aarch64-linux-gnu-gcc"
ZIG = (*zig.command(), *zig.FLAGS, "-target")
# Kind of code to the compiler with its flags and, elsewhere than here, the emulator.
KINDS: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {
    "x86": {
        "sse": (("gcc", "-march=x86-64-v2"), ""),
        "avx2": (("gcc", "-march=x86-64-v3"), ""),
        "avx512": (("gcc", "-march=native"), ""),
    },
    "arm": {
        "neon": ((ARM_GCC, "-march=armv8-a"), "qemu-aarch64"),
        "neon-dot": ((ARM_GCC, "-march=armv8.2-a+dotprod"), "qemu-aarch64"),
        "neon-i8mm": ((ARM_GCC, "-march=armv8.2-a+dotprod+i8mm"), "qemu-aarch64"),
    },
    "armv7": {
        "armv7": (
            (*ZIG, "arm-linux-musleabihf", f"-mcpu={zig.cpu_name('armv7-a+neon-vfpv4')}"),
            "qemu-arm",
        ),
    },
    "rv64": {
        "rv64": ((*ZIG, "riscv64-linux-musl", f"-mcpu={zig.cpu_name('rv64gc')}"), "qemu-riscv64"),
    },
}


def compiled(folder: Path, compiler: tuple[str, ...], spec: ModelSpec, precision: str) -> Path:
    """The program for those shapes."""
    shapes = Shapes(spec, precision, 1)
    (folder / "shapes.h").write_text(shapes.header())
    (folder / "head.h").write_text(shapes.head_source())
    (folder / "step.c").write_text(PROGRAM)
    flags = [flag for flag in build.FLAGS if flag not in ("-shared", "-fPIC")]
    include = ["-I", str(folder), "-I", str(build.SOURCE)]
    command = [*compiler, *flags, "-static", *include, str(folder / "step.c")]
    subprocess.run([*command, "-o", str(folder / "step"), "-lm"], check=True)
    return folder / "step"


def microseconds(program: Path) -> float:
    """CPU time of a step, from the quickest of five long and five short runs."""

    def cpu() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return float(used.ru_utime + used.ru_stime)  # the sum is exact, its split a sample

    def run(steps: int) -> float:
        before = cpu()
        subprocess.run([program, str(steps)], check=True)
        return cpu() - before

    times = [(run(8000), run(800)) for _ in range(5)]
    long, short = (min(column) for column in zip(*times, strict=True))
    return float(long - short) / 7200 * 1e6


def instructions(emulator: str, program: Path) -> float:
    """Instructions of a step: qemu logs each one it executes."""

    def run(steps: int) -> int:
        command = f"{emulator} -singlestep -d exec,nochain -D /dev/stdout {program} {steps}|wc -l"
        return int(subprocess.run(command, shell=True, check=True, capture_output=True).stdout)

    return run(2) - run(1)


def fit(counts: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, float]:
    """Costs (3,) of the counts (N, 3) and the largest relative error.

    Least squares of relative errors; no cost is negative.
    """
    matrix = counts / found[:, None]
    best, least = np.zeros(3), np.inf
    for columns in ([0, 1, 2], [0, 1], [0, 2], [0]):
        part, *_ = np.linalg.lstsq(matrix[:, columns], np.ones(len(found)), rcond=None)
        loss = float(((matrix[:, columns] @ part - 1) ** 2).sum())
        if part.min() >= 0 and loss < least:
            best, least = np.zeros(3), loss
            best[columns] = part
    return best, float(np.abs(matrix @ best - 1).max())


def main() -> None:
    """Print each figure, and for each kind of code the costs fitted to them."""
    kind, *names = sys.argv[1:] or [""]
    if kind not in KINDS or not set(names) <= set(SHAPES):
        sys.exit(__doc__)
    shapes = {name: SHAPES[name] for name in names or SHAPES}
    with tempfile.TemporaryDirectory() as scratch:
        for isa, (compiler, emulator) in KINDS[kind].items():
            if isa == "avx512" and "avx512f" not in cpu.features():
                continue  # -march=native is another level here
            for precision in PRECISIONS:
                found, counts = [], []
                for spec in shapes.values():
                    program = compiled(Path(scratch), compiler, spec, precision)
                    found.append(
                        instructions(emulator, program) if emulator else microseconds(program)
                    )
                    work = Work.of(spec)
                    counts.append([work.products(precision), work.layers * work.gate, 1])
                fitted, error = fit(np.array(counts), np.array(found))
                shown = ", ".join(f"{n} {f:,.2f}" for n, f in zip(shapes, found, strict=True))
                costs = ", ".join(f"{cost:.4g}" for cost in fitted)
                print(f"{isa} {precision}: {shown}", flush=True)
                print(f"    per product, gate channel of a layer, sample: {costs} (±{error:.0%})")


if __name__ == "__main__":
    main()
