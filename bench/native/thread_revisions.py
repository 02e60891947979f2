"""What several threads make of one stream beside a revision before: both in one process, in turns.

    python -m bench.native.thread_revisions REV [--turns 60] [--threads 2] [--only medium]

wavenet.c of REV and of this tree are compiled for this CPU, with weights packed by this tree, whose
layout REV must have. A turn is three blocks of 10 ms of sound of each: one thread of this tree, A
(several threads of REV), B (of this tree); the first of the three only warms up.

    A, B    samples per second over one thread's, of the fastest tenth of blocks, and the median
    B / A   the median of the blocks' own ratios, and the ratio of the fastest tenths

Where cores are shared with others, as on most virtual machines, medians tell of those; pairs and
the fastest tenth tell less of them. All samples must be the same.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
import time
from io import BytesIO
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from bench.models import random_weights
from bench.native.threads import PRECISIONS, models, ten_ms
from bench.repository import ROOT, invocation
from wn_export.bench.machine import machine_facts
from wn_runtime.engines.native import compiler as build
from wn_runtime.engines.native.library import Library
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.engines.native.streams import Streams
from wn_runtime.model.weights import Weights

BLOCKS = 3


def source_of(revision: str, folder: Path) -> Path:
    """The engine's source as it was. Raises ClickException where git has none."""
    inside = build.SOURCE.relative_to(ROOT)
    done = subprocess.run(
        ["git", "archive", revision, str(inside)], cwd=ROOT, capture_output=True, check=False
    )
    if done.returncode:
        raise click.ClickException(done.stderr.decode().strip())
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder / inside


def opened(source: Path, shapes: Shapes, weights: Weights, helpers: int, out: Path) -> Streams:
    """The engine that a source makes."""
    own, build.SOURCE = build.SOURCE, source
    try:
        compiler = build.find_compiler()
        build.compile_library(compiler, compiler.native(), shapes, out)
    finally:
        build.SOURCE = own
    library = Library(out, shapes)
    return library.streams(library.model(weights), helpers)


def taken(engines: list[Streams], drawn: NDArray[np.int32], turns: int) -> NDArray[np.float64]:
    """Seconds of each block (engines, turns, blocks). Raises ClickException for other samples."""
    times, certain = np.zeros((len(engines), turns, BLOCKS)), np.ones(1, np.float32)
    for turn in range(turns):
        made = []
        for e, engine in enumerate(engines):
            for block in range(BLOCKS):
                began = time.perf_counter()
                samples = engine.generate(None, drawn, certain)
                times[e, turn, block] = time.perf_counter() - began
            made.append(samples)
        if any((samples != made[0]).any() for samples in made):
            raise click.ClickException("the samples are not the same")
    return times[:, :, 1:]


@click.command()
@click.argument("revision")
@click.option("--turns", default=60, show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option("--only", multiple=True, help="A model's preset; default: all.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the table there, too.")
def main(revision: str, turns: int, threads: int, only: tuple[str, ...], out: Path | None) -> None:
    """Print the table."""
    lines = [
        invocation(),
        f"{machine_facts()['cpu']}; {threads} threads",
        "",
        f"{'model':<14}{'':<6}{'A':>6}{'median':>8}{'B':>7}{'median':>8}{'B / A':>8}{'fastest':>9}",
    ]
    click.echo("\n".join(lines))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = source_of(revision, folder)
        for title, spec in models(only):
            weights, drawn = random_weights(spec), ten_ms(spec)
            for precision in PRECISIONS:
                shapes, stem = Shapes(spec, precision, 1), folder / f"{title}-{precision}"
                engines = [
                    opened(source, shapes, weights, helpers, stem.with_suffix(f".{i}.so"))
                    for i, (source, helpers) in enumerate(
                        [(build.SOURCE, 0), (before, threads - 1), (build.SOURCE, threads - 1)]
                    )
                ]
                seconds = taken(engines, drawn, turns)
                for engine in engines:
                    engine.close()
                one, a, b = np.quantile(seconds, 0.1, axis=(1, 2))
                medians = np.median(seconds, axis=(1, 2))
                pairs = np.median(seconds[1] / seconds[2])
                lines.append(
                    f"{title:<14}{precision:<6}{one / a:>6.2f}{medians[0] / medians[1]:>8.2f}"
                    f"{one / b:>7.2f}{medians[0] / medians[2]:>8.2f}{pairs:>8.3f}{a / b:>9.3f}"
                )
                click.echo(lines[-1])
    if out is not None:
        out.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
