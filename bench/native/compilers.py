"""The native engine as zig compiles it beside gcc's: speed, samples, seconds of compiling.

    taskset -c 1 python -m bench.native.compilers [--seconds 1] [--json FILE]

Every library is of this CPU (-march=native). Both take turns in blocks of 32 samples, and a figure
is the fastest of all, because what else the machine does only ever adds time. Compiling is CPU
time. Zig's first run, which compiles its own libraries, too, is a figure of its own; for that
the cache is a new one. Needs gcc, and `pip install 'wavestep[cc]'`.
"""

from __future__ import annotations

import json
import os
import resource
import shlex
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np

from bench.models import MODELS, random_weights
from wn_export.bench.machine import machine_facts
from wn_runtime.engines.native import compiler as build
from wn_runtime.engines.native import cpu, zig
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.library import Library
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.synthesis.uniforms import uniforms
from wn_targets.presets import PRESETS

PRECISIONS = ("fp32", "bf16", "int8")
BLOCK = 32


@dataclass(frozen=True)
class Row:
    """One model in one precision."""

    model: str
    precision: str
    gcc_us: float
    """Microseconds of a sample, in the fastest block."""
    zig_us: float
    speed: float
    """Of zig's code over gcc's."""
    same: bool
    """Whether all samples of both were the same."""
    gcc_compile_s: float
    """CPU seconds."""
    zig_compile_s: float


def asked_for(command: str) -> build.Compiler:
    """The compiler of that command."""
    os.environ["CC"] = command
    return build.find_compiler()


def seconds_to_compile(compiler: build.Compiler, shape: Shapes, path: Path) -> float:
    """CPU seconds of compiling that library to `path`."""

    def used() -> float:
        of = resource.getrusage(resource.RUSAGE_CHILDREN)
        return of.ru_utime + of.ru_stime

    before = used()
    build.compile_library(compiler, cpu.native_flags(), shape, path)
    return used() - before


def turns(engines: list[NativeEngine], seconds: float) -> tuple[list[float], bool]:
    """Microseconds of a sample in each one's fastest block, and whether their samples agree."""
    best, same = [np.inf] * len(engines), True
    drawn = uniforms(0, 1, BLOCK, engines[0].spec.output.uniforms)
    end = time.perf_counter() + seconds * len(engines)
    while time.perf_counter() < end:
        made = []
        for at, engine in enumerate(engines):
            start = time.perf_counter()
            made.append(engine.generate(None, drawn))
            best[at] = min(best[at], (time.perf_counter() - start) * 1e6 / BLOCK)
        same = same and all(np.array_equal(made[0], other) for other in made[1:])
    return best, same


@click.command()
@click.option("--seconds", default=1.0, help="For each way.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="Also write the rows here.")
@click.option("--only", multiple=True, type=click.Choice(list(MODELS)), help="Only that model.")
def main(seconds: float, out: Path | None, only: tuple[str, ...]) -> None:
    """Print the table."""
    command = zig.command()
    if not command:
        raise click.ClickException(f"zig is not here; {zig.how_to_get()}")
    both = (asked_for("gcc"), asked_for(shlex.join(command)))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_CACHE_HOME"] = scratch
        first = Shapes(PRESETS["tiny"], "fp32", 1)
        cold = seconds_to_compile(both[1], first, Path(scratch) / "first.so")
        print(f"{both[0].name}; {both[1].name}, first run {cold:.1f} s")
        print("model         precision  gcc us  zig us  zig/gcc speed  same  compiling gcc, zig s")
        for name in only or MODELS:
            spec = PRESETS[MODELS[name]]
            weights = random_weights(spec)
            for precision in PRECISIONS:
                shape, engines, spent = Shapes(spec, precision, 1), [], []
                for at, compiler in enumerate(both):
                    path = Path(scratch) / f"{MODELS[name]}.{precision}.{at}.so"
                    spent.append(seconds_to_compile(compiler, shape, path))
                    engines.append(
                        NativeEngine(spec, weights, precision, library=partial(Library, path))
                    )
                (ours, theirs), same = turns(engines, seconds)
                row = Row(name, precision, ours, theirs, ours / theirs, same, *spent)
                rows.append(row)
                print(
                    f"{name:14}{precision:9}{ours:8.2f}{theirs:8.2f}{row.speed:15.2f}  "
                    f"{'yes' if same else 'no':4}  {spent[0]:10.1f}, {spent[1]:.1f}",
                    flush=True,
                )
    if out is not None:
        facts: dict[str, object] = {
            "machine": machine_facts(),
            "compilers": [each.name for each in both],
        }
        facts |= {"zig_first_run_s": cold, "rows": [asdict(row) for row in rows]}
        out.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
