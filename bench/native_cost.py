"""What the native engine's code costs apart from memory, for wn-targets' model of a CPU.

    python bench/native_cost.py x86     µs of a step on this machine, for each x86-64 level
    python bench/native_cost.py arm     instructions of a step under qemu-aarch64: exact

wavenet.c is compiled as a program with a model of zeros, which costs what any model costs but
lies in one page of memory, so that no cache counts. Needs gcc, or aarch64-linux-gnu-gcc and
qemu-aarch64.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from wn_runtime.native import build
from wn_runtime.native.shapes import Shapes
from wn_runtime.spec import ModelSpec
from wn_targets.presets import PRESETS
from wn_targets.work import Work

PROGRAM = """
#include "wavenet.c"
#include <stdlib.h>
static model m;
static state s;
static float uniforms[8192];
static int32_t classes[8192];
int main(int count, char **words) {
    int steps = atoi(words[count - 1]);
    for (int i = 0; i < steps; i++) uniforms[i] = 0.5f;
    wn_generate(&m, &s, steps, 0, 0, uniforms, 1.0f, classes);
    return 0;
}
"""
PRECISIONS = ("fp32", "bf16", "int8")
ARM = {"neon": "armv8-a", "neon-dot": "armv8.2-a+dotprod"}
X86 = {"sse": "x86-64-v2", "avx2": "x86-64-v3", "avx512": "native"}


def compiled(folder: Path, compiler: str, march: str, spec: ModelSpec, precision: str) -> Path:
    """The program for those shapes."""
    (folder / "shapes.h").write_text(Shapes(spec, precision, 1).header())
    (folder / "step.c").write_text(PROGRAM)
    flags = [flag for flag in build.FLAGS if flag not in ("-shared", "-fPIC")]
    include = ["-I", str(folder), "-I", str(build.SOURCE)]
    command = [compiler, *flags, "-static", f"-march={march}", *include, str(folder / "step.c")]
    subprocess.run([*command, "-o", str(folder / "step"), "-lm"], check=True)
    return folder / "step"


def microseconds(program: Path) -> float:
    """CPU time of a step: the least of five."""

    def run(steps: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([program, str(steps)], check=True)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before

    return min(run(8000) - run(800) for _ in range(5)) / 7200 * 1e6


def instructions(program: Path) -> float:
    """Instructions of a step: qemu logs each one it executes."""

    def run(steps: int) -> int:
        command = f"qemu-aarch64 -singlestep -d exec,nochain -D /dev/stdout {program} {steps}|wc -l"
        return int(subprocess.run(command, shell=True, check=True, capture_output=True).stdout)

    return (run(4) - run(2)) / 2


def main() -> None:
    """Print each figure, and for each kind of code the costs fitted to them."""
    arm = sys.argv[1:] == ["arm"]
    if not arm and sys.argv[1:] != ["x86"]:
        sys.exit(__doc__)
    compiler = "aarch64-linux-gnu-gcc" if arm else "gcc"
    presets = ["tiny", "small", "medium"] if arm else list(PRESETS)
    with tempfile.TemporaryDirectory() as scratch:
        for isa, march in (ARM if arm else X86).items():
            for precision in PRECISIONS:
                found, counts = [], []
                for name in presets:
                    spec = PRESETS[name]
                    program = compiled(Path(scratch), compiler, march, spec, precision)
                    found.append(instructions(program) if arm else microseconds(program))
                    work = Work.of(spec)
                    counts.append([work.macs, work.layers * work.gate, 1])
                # Relative errors are what matters; a cost cannot be negative.
                weight = 1 / np.array(found)
                matrix = np.array(counts) * weight[:, None]
                fitted = np.linalg.lstsq(matrix, np.ones(len(found)), rcond=None)[0]
                if fitted[1] < 0 or fitted[2] < 0:
                    keep = [0, 1] if fitted[2] < fitted[1] else [0, 2]
                    part = np.linalg.lstsq(matrix[:, keep], np.ones(len(found)), rcond=None)[0]
                    fitted = np.zeros(3)
                    fitted[keep] = part
                shown = ", ".join(f"{n} {f:,.2f}" for n, f in zip(presets, found, strict=True))
                error = np.abs(matrix @ fitted - 1).max()
                costs = ", ".join(f"{cost:.4g}" for cost in fitted)
                print(f"{isa} {precision}: {shown}", flush=True)
                print(f"    per product, gate channel of a layer, sample: {costs} (±{error:.0%})")


if __name__ == "__main__":
    main()
