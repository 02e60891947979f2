"""One stream on several cores: what threads give, block by block, and what a hand-over costs.

    python -m bench.native.threads [--turns 60] [--threads 2] [--out FILE] [--plot FILE.png]

    hand-over   half of the way there and back of one flag between two threads that wait for it by
                spinning (source/flags.h), the median of a thousand.
    samples/s   of blocks of 10 ms of sound, those of each number of threads in turns, in one
                process: the median block; `ratio` is to one thread.
    p99         of the time of a block, over its median.
    missed      shares of samples that the helpers came too late for, so that the chain's thread
                made them: they had no core.
    predicted   the ratio by docs/targets.md, for --target.

Both cores must be idle: a helper that shares its core is of no use.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from bench.models import MODELS, random_weights
from bench.native.latencies import Taken, picture
from bench.repository import invocation
from wn_export.bench.machine import machine_facts
from wn_runtime.engines import cores
from wn_runtime.engines.native import compiler as build
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.work import Work
from wn_runtime.synthesis.uniforms import uniforms
from wn_targets.devices.catalogue import find
from wn_targets.models.cpu import native
from wn_targets.presets import PRESETS

PRECISIONS = ("int8", "bf16", "fp32")
PING_PONG = r"""
#include "vector.h"
#define TEAM 1
#define APART 128
#include "flags.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static flag there, back;
static void *answer(void *unused) {
    for (uint64_t n = 1; n <= 1000000; n++) {
        while (seen(&there) < n) relax();
        raise_to(&back, n);
    }
    return unused;
}
static int order(const void *a, const void *b) {
    return *(const double *)a > *(const double *)b ? 1 : -1;
}
int main(void) {
    static double taken[1000];
    pthread_t other;
    pthread_create(&other, 0, answer, 0);
    uint64_t n = 0;
    for (int turn = 0; turn < 1000; turn++) {
        int64_t began = now_ns();
        for (int i = 0; i < 1000; i++) {
            raise_to(&there, ++n);
            while (seen(&back) < n) relax();
        }
        taken[turn] = (double)(now_ns() - began) / 2000;
    }
    pthread_join(other, 0);
    qsort(taken, 1000, sizeof *taken, order);
    printf("%g\n", taken[500]);
}
"""


def handover_ns() -> float:
    """Nanoseconds from one thread's flag to another's sight of it."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "flags.c"), Path(folder, "flags")
        source.write_text(PING_PONG)
        compiler = build.find_compiler()
        flags = [flag for flag in compiler.flags if flag not in ("-shared", "-fPIC")]
        command = [*compiler.command, *flags, "-pthread", *compiler.native()]
        command += ["-I", str(build.SOURCE), "-o", str(program), str(source)]
        subprocess.run(command, check=True, env=compiler.environment())
        return float(subprocess.run([program], check=True, capture_output=True, text=True).stdout)


def models(only: tuple[str, ...]) -> list[tuple[str, ModelSpec]]:
    """Titles and specs of those presets, or of all."""
    return [(t, PRESETS[preset]) for t, preset in MODELS.items() if not only or preset in only]


def ten_ms(spec: ModelSpec) -> NDArray[np.int32]:
    """Uniforms of a block."""
    return uniforms(0, 1, spec.sample_rate // 100)


def seconds(engine: NativeEngine, drawn: NDArray[np.int32]) -> float:
    """Of one block."""
    began = time.perf_counter()
    engine.generate(None, drawn)
    return time.perf_counter() - began


@click.command()
@click.option("--turns", default=60, show_default=True, help="Of five blocks each.")
@click.option("--threads", default=cores.usable(), show_default=True, help="The most.")
@click.option("--target", default="xeon-2.6", show_default=True)
@click.option("--only", multiple=True, help="A model's preset; default: all.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the table there, too.")
@click.option("--plot", type=click.Path(path_type=Path), help="A .png: how long blocks took.")
def main(
    turns: int,
    threads: int,
    target: str,
    only: tuple[str, ...],
    out: Path | None,
    plot: Path | None,
) -> None:
    """Print the table."""
    lines = [
        invocation(),
        f"{machine_facts()['cpu']}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        f"hand-over of a flag: {handover_ns():.0f} ns",
        "",
        f"{'model':<14}{'':<6}{'threads':>8}{'samples/s':>11}{'ratio':>7}{'p99':>7}"
        f"{'missed':>9}{'predicted':>11}",
    ]
    click.echo("\n".join(lines))
    panels: dict[str, Taken] = {}
    processor = find(target).cpu
    assert processor is not None, target
    for title, spec in models(only):
        weights, drawn = random_weights(spec), ten_ms(spec)
        for precision in PRECISIONS:
            engines = {
                n: NativeEngine(spec, weights, precision, 1, n) for n in range(1, threads + 1)
            }
            taken: dict[int, list[float]] = {n: [] for n in engines}
            for turn in range(turns + 1):
                for n, engine in engines.items():
                    seconds(engine, drawn)  # its memory comes back into the caches
                    blocks = [seconds(engine, drawn) for _ in range(5)]
                    taken[n] += blocks if turn else []
            panels[f"{title}, {precision}"] = taken
            medians = {n: statistics.median(blocks) for n, blocks in taken.items()}
            predicted = {
                n: native(processor, Work.of(spec), precision, n).samples_per_second
                for n in engines
            }
            for n, engine in engines.items():
                ordered = sorted(taken[n])
                p99 = ordered[int(0.99 * len(ordered))] / medians[n]
                shares = (turns + 1) * 6 * len(drawn) * (n - 1)
                missed = engine.missed / shares if shares else 0.0
                lines.append(
                    f"{title:<14}{precision:<6}{n:>8}{len(drawn) / medians[n]:>11,.0f}"
                    f"{medians[1] / medians[n]:>7.2f}{p99:>7.2f}{missed:>9.1%}"
                    f"{predicted[n] / predicted[1]:>11.2f}"
                )
                click.echo(lines[-1])
                engine.close()
    if out is not None:
        out.write_text("\n".join(lines) + "\n", "utf-8")
    if plot is not None:
        plot.write_bytes(picture(panels, f"{machine_facts()['cpu']}, {os.cpu_count()} cores"))


if __name__ == "__main__":
    main()
