"""How fast a revision is beside another one: native/speed.py of each, in turns.

    python -m bench.native.revisions REV [REV2] [--turns 5] [--seconds 1] [--only "L20 R32 S128"]

A ratio is samples per second of REV2, by default of this tree as it stands, over those of REV. Each
revision is checked out into a git worktree and runs its own program from its own folders,
installed or not; the turns go A B A B …, each a process of its own, pinned to one core. What else
the machine does only ever adds time: a rate is the fastest of all turns, and B / A the ratio of
those. Beside it stand the median of the turns' own ratios, the least and the largest.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bench.repository import ROOT

FOLDERS = (".", "runtime", "train", "export", "targets")
"""Where a revision has its packages, bench among them."""

Key = tuple[str, str, str, int]
"""Model, engine, precision, streams."""


@dataclass(frozen=True)
class Tree:
    """A revision on the disk."""

    name: str
    folder: Path

    @property
    def program(self) -> list[str]:
        """What measures there: revisions before bench/ had folders have bench/native.py."""
        if (self.folder / "bench/native.py").exists():
            return ["bench/native.py"]
        return ["-m", "bench.native.speed"]

    def measure(self, settings: list[str], cache: Path) -> tuple[dict[Key, float], dict[str, Any]]:
        """Samples per second of every row, and the machine, by one run of its program.

        Raises ClickException with the run's last line where it fails.
        """
        path = os.pathsep.join(str(self.folder / folder) for folder in FOLDERS)
        out = cache / "native.json"
        command = [sys.executable, *self.program, "--json", str(out), *settings]
        done = subprocess.run(
            [*pinned(), *command],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path, "XDG_CACHE_HOME": str(cache)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            raise click.ClickException(f"the bench of {self.name} fails: {said}")
        data = json.loads(out.read_text("utf-8"))
        rates = {
            (row["model"], row["engine"], row["precision"], row["batch"]): row["samples_per_second"]
            for row in data["rows"]
        }
        return rates, data["machine"]


@click.command()
@click.argument("old", metavar="REV")
@click.argument("new", metavar="[REV2]", required=False)
@click.option("--turns", type=click.IntRange(1), default=5, show_default=True)
@click.option("--seconds", default=1.0, show_default=True, help="For each row of a turn.")
@click.option("--only", multiple=True, metavar="MODEL", help="Only that model; repeatable.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the table too.")
def main(
    old: str, new: str | None, turns: int, seconds: float, only: tuple[str, ...], out: Path | None
) -> None:
    """Print how fast REV2, or this tree, is beside REV."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that worktrees are removed
    settings = ["--seconds", str(seconds), *(word for name in only for word in ("--only", name))]
    found: list[tuple[dict[Key, float], dict[Key, float]]] = []
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="revisions-")))
        before = stack.enter_context(checked_out(old, scratch / "old"))
        changed = ", with changes" if git("status", "--porcelain") else ""
        after = Tree(f"this tree: {described('HEAD')}{changed}", ROOT)
        if new is not None:
            after = stack.enter_context(checked_out(new, scratch / "new"))
        for turn in range(turns):
            click.echo(f"turn {turn + 1} of {turns}", err=True)
            one, machine = before.measure(settings, scratch)
            other, _ = after.measure(settings, scratch)
            found.append((one, other))
    where = f"{machine['cpu']}, {' '.join(pinned()) or 'not pinned'}"
    lines = [
        f"A  {before.name}",
        f"B  {after.name}",
        f"{where}; {turns} turns of A and B, {seconds:g} s for each row of a turn",
        "",
        *table(found),
    ]
    text = "\n".join(lines) + "\n"
    click.echo(text, nl=False)
    if out is not None:
        out.write_text(text, "utf-8")


def table(found: list[tuple[dict[Key, float], dict[Key, float]]]) -> list[str]:
    """Titles and a line for each row that both have, then one for what only one of them has."""
    first = found[0]
    head = f"{'model':14}{'engine':8}{'precision':>10}{'batch':>6}"
    lines = [f"{head}{'A: 1/s':>11}{'B: 1/s':>11}{'B / A':>8}{'median':>8}{'least':>7}{'most':>7}"]
    for key in first[0]:
        if key not in first[1]:
            continue
        model, engine, precision, batch = key
        ratios = [new[key] / old[key] for old, new in found]
        old_rate, new_rate = (max(turn[i][key] for turn in found) for i in (0, 1))
        lines.append(
            f"{model:14}{engine:8}{precision:>10}{batch:6}{old_rate:11,.0f}{new_rate:11,.0f}"
            f"{new_rate / old_rate:8.3f}"
            f"{statistics.median(ratios):8.3f}{min(ratios):7.3f}{max(ratios):7.3f}"
        )
    for name, keys in (("A", first[0].keys() - first[1]), ("B", first[1].keys() - first[0])):
        if keys:
            lines.append(
                f"only {name}: {', '.join(' '.join(map(str, key)) for key in sorted(keys))}"
            )
    return lines


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Tree]:
    """A worktree of a revision, for as long as it is needed. Raises ClickException without it."""
    name = described(revision)
    git("worktree", "add", "--detach", str(folder), revision)
    try:
        yield Tree(name, folder)
    finally:
        git("worktree", "remove", "--force", str(folder))


def described(revision: str) -> str:
    """Its short name and subject."""
    return git("log", "-1", "--format=%h %s", revision, "--")


def git(*arguments: str) -> str:
    """What git prints. Raises ClickException with its last line where it refuses."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise click.ClickException((done.stderr.strip().splitlines() or ["git fails"])[-1])
    return done.stdout.strip()


def pinned() -> list[str]:
    """The command that keeps another on one core, the last that is allowed; none without it."""
    if shutil.which("taskset") is None:
        return []
    return ["taskset", "-c", str(max(os.sched_getaffinity(0)))]


if __name__ == "__main__":
    main()
