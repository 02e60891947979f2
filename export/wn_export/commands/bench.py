"""wn-bench: how fast each engine of a model directory is here, and whether that is real time."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click

from wn_export.bench.measure import Generator, Row
from wn_export.bench.plot import check_plot, plot
from wn_export.bench.run import KEYS, Bench
from wn_export.bench.run import run as run_bench
from wn_export.commands import result
from wn_export.commands.given import some_seconds
from wn_export.parity.report import signed
from wn_runtime.commands import next_step, say
from wn_runtime.commands.bar import Bar
from wn_runtime.commands.command import command
from wn_runtime.commands.given import a_path
from wn_runtime.commands.table import aligned
from wn_runtime.engines.choice import MOST_BATCH, MOST_THREADS
from wn_runtime.engines.registry import ENGINES
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.locating import locate
from wn_runtime.model.manifest import Manifest
from wn_train.pytorch_needed import pytorch_needed
from wn_train.run_files import checkpoint_of

MOST_BATCHES = 64
"""Different ones in a run: each opens every engine."""
SHARED = 0.9
"""CPU time over clock time below which another program is felt."""


@command()
@click.argument("directory", metavar="DIR", type=a_path)
@click.option(
    "--json", "json_", type=a_path, metavar="FILE", help="Write the rows as JSON; - for stdout."
)
@click.option("--plot", "picture", type=a_path, metavar="FILE", help="Draw the rows.")
@click.option(
    "--seconds",
    type=some_seconds,
    default=2.0,
    show_default=True,
    metavar="S",
    help="Clock time for each row.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, MOST_THREADS),
    multiple=True,
    metavar="N",
    help="CPU threads; repeatable. Default: 1, and as many as wn-run would take.",
)
@click.option(
    "--batch",
    "batches",
    type=click.IntRange(1, MOST_BATCH),
    multiple=True,
    default=(1,),
    metavar="B",
    help="Streams side by side [1]; repeatable.",
)
@click.option(
    "--checkpoint",
    type=a_path,
    metavar="CKPT|RUN",
    help="Also PyTorch on this checkpoint: sample by sample, and full window.",
)
def main(
    directory: Path,
    json_: Path | None,
    picture: Path | None,
    seconds: float,
    threads: tuple[int, ...],
    batches: tuple[int, ...],
    checkpoint: Path | None,
) -> None:
    """Measure every engine and precision of DIR that runs here, in turns of a tenth of a second.

    µs are of one step (one sample of every stream), over blocks of 10 ms. Real time: the median
    block takes no longer than it sounds.
    """
    directory, _ = locate(directory)
    chosen = tuple(dict.fromkeys(batches))
    if len(chosen) > MOST_BATCHES:
        raise WavestepError(f"there are {len(chosen)} different --batch; give {MOST_BATCHES}")
    to_stdout = json_ == Path("-")
    if checkpoint is not None:
        checkpoint = checkpoint_of(checkpoint)
        with pytorch_needed("--checkpoint"):  # before a file is begun: a signal in it ends at once
            import wn_export.bench.pytorch  # noqa: F401

    def beside(manifest: Manifest) -> list[Generator]:
        if checkpoint is None:
            return []
        from wn_export.bench.pytorch import torch_generators

        return torch_generators(checkpoint, manifest, max(threads, default=1))

    with ExitStack() as results:
        write_json = write_picture = None
        if picture is not None:
            check_plot(picture)
            write_picture = results.enter_context(result.opened(picture))
        if json_ is not None and not to_stdout:
            write_json = results.enter_context(result.opened_json(json_, KEYS))
        counts = tuple(dict.fromkeys(threads)) or (1, None)
        found = _measured(directory, seconds, chosen, counts, beside)
        say.table(text(found), err=to_stdout)
        if to_stdout:
            say.as_json(found.as_json())
        if write_json is not None:
            write_json(f"{json.dumps(found.as_json(), indent=1, allow_nan=False)}\n".encode())
        if picture is not None and write_picture is not None:
            title = f"{found.name} on {found.machine['cpu'] or found.machine['architecture']}"
            below = [_measured_how(found), *_warnings(found)]
            write_picture(plot(picture.suffix, found.rows, found.sample_rate, title, below))
        if not to_stdout and not any(
            path is not None and result.is_stdout(path) for path in (json_, picture)
        ):
            say.line(_next(directory, found))


def _next(directory: Path, found: Bench) -> str:
    """wn-run takes what was fastest; where nothing keeps up, another machine may."""
    engines = [row for row in found.rows if row.engine in ENGINES]
    if any(row.real_time for row in engines):
        return next_step.to_run(directory, manifests.read(directory))
    return next_step.line("wn-targets", "fit", directory)


def _measured(
    directory: Path,
    seconds: float,
    batches: tuple[int, ...],
    threads: tuple[int | None, ...],
    beside: Callable[[Manifest], list[Generator]],
) -> Bench:
    with Bar(unit="s", bar_format="{l_bar}{bar}| {remaining}") as bar:

        def progress(done: float, generators: int) -> None:
            bar.total = seconds * generators
            bar.update(min(done, bar.total - bar.n))

        found = run_bench(directory, seconds, batches, threads, beside, progress)
    if not found.rows:
        reasons = "; ".join(f"{one.engine}: {one.reason}" for one in found.unavailable)
        raise WavestepError(f"no engine of {directory} runs here: {reasons or 'none exported'}")
    return found


def text(found: Bench) -> str:
    """The table and what is to be said with it."""
    machine = found.machine
    base = next((r for r in found.rows if r.engine == "pytorch"), None)
    slowest = min(found.rows, key=lambda r: r.samples_per_second)
    against, word = (base, "PyTorch") if base is not None else (slowest, "slowest")
    head = (
        f"{found.name}: {found.sample_rate / 1000:g} kHz, on {machine['cpu']} "
        f"({machine['cores_allowed']} of {machine['cores']} cores, load {machine['load'][0]})"
    )
    titles = ["engine", "precision", "batch", "threads", "µs", "µs p99", "samples/s", "× real time"]
    titles += ["first audio", "memory", "Δ bits", f"× {word}", "real time"]
    rows = [titles]
    for row, memory in zip(found.rows, found.memory_mb, strict=True):
        rows.append(_cells(row, memory, row.samples_per_second / against.samples_per_second))
    lines = [head, aligned(rows, right=range(2, 12)), *_warnings(found), *_unavailable(found)]
    return "\n".join(lines)


def _measured_how(found: Bench) -> str:
    """When, on how much of which machine, beside what load, with which version."""
    machine = found.machine
    return (
        f"{machine['time'][:16].replace('T', ' ')} UTC, {machine['cores_allowed']} of "
        f"{machine['cores']} cores, load {machine['load'][0]}, wavestep "
        f"{machine['versions'].get('wavestep', 'unknown')}"
    )


def _warnings(found: Bench) -> list[str]:
    """What is to be known before a row is believed."""
    lines = []
    shares = [
        share
        for row, share in zip(found.rows, found.cpu_share, strict=True)
        if row.engine not in ENGINES or not ENGINES[row.engine].on_gpu
    ]
    if shares and min(shares) < SHARED:
        lines.append(
            f"warning: other programs shared the core, a row had {min(shares):.0%} of it at the "
            "least; slow rows look slower than they are, so trust no ratio from this run"
        )
    late = [f"{row.engine} {row.precision}" for row in found.rows if row.real_time and row.late]
    if late:
        names = ", ".join(dict.fromkeys(late))
        lines.append(f"late: over 1 in 100 blocks of {names} took longer than it sounds; buffer it")
    return lines


def _unavailable(found: Bench) -> list[str]:
    """One line for each reason, whatever the number of precisions it holds for."""
    measured = {(row.engine, row.precision) for row in found.rows}
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for one in found.unavailable:
        word = "note" if (one.engine, one.precision) in measured else "not here"
        reasons.setdefault((word, one.engine, one.reason), []).append(one.precision)
    return [
        f"{word}: {engine} {', '.join(precisions)}: {reason}"
        for (word, engine, reason), precisions in reasons.items()
    ]


def _cells(row: Row, memory_mb: float | None, ratio: float) -> list[str]:
    return [
        row.engine,
        row.precision,
        str(row.batch),
        str(row.threads),
        f"{row.us_median:,.1f}",
        f"{row.us_p99:,.1f}",
        f"{row.samples_per_second:,.0f}",
        f"{row.real_time_factor:.3g}",
        "" if row.first_audio_ms is None else f"{row.first_audio_ms:.0f} ms",
        "" if memory_mb is None else f"{memory_mb:.0f} MB",
        "" if row.delta_bits is None else signed(row.delta_bits),
        f"{ratio:.3g}",
        "yes" if row.real_time else "no",
    ]
