"""A campaign on several processes: chunks of cases, all subjects in turn, a seed each."""

from __future__ import annotations

import concurrent.futures
import itertools
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.campaign import try_cases
from tests.fuzz.case import Case
from tests.fuzz.law import Breach
from tests.fuzz.sandbox import Outcome, Sandbox
from tests.fuzz.subjects.registry import SUBJECTS, present
from tests.fuzz.world import World

CHUNK = 20
"""Cases of one subject in a row."""


@dataclass(frozen=True)
class Chunk:
    """What a worker does at a time."""

    subject: str
    count: int
    seed: int
    until: float


Result = tuple[str, list[str], bytes, bytes]
"""A case as JSON, its breaches, and of a broken one what it printed."""


def campaign(
    names: list[str],
    cases: int | None,
    seconds: float,
    jobs: int,
    seed: int,
    use: Callable[[Result], None],
) -> None:
    """Run cases until there were so many, or the time is up; `use` hears of each."""
    root = Path(tempfile.mkdtemp(prefix="wn-fuzz-"))
    world = World(root / "world")
    until = time.monotonic() + seconds
    context = multiprocessing.get_context("spawn")
    try:
        with concurrent.futures.ProcessPoolExecutor(jobs, context, _begin, (world.root,)) as pool:
            waiting: set[concurrent.futures.Future[list[Result]]] = set()
            for chunk in _chunks(names or list(present()), cases, seed, until):
                if time.monotonic() > until:
                    break
                waiting.add(pool.submit(_work, chunk))
                while len(waiting) > jobs:
                    waiting = _collect(waiting, use)
            while waiting:
                waiting = _collect(waiting, use)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _collect(
    waiting: set[concurrent.futures.Future[list[Result]]], use: Callable[[Result], None]
) -> set[concurrent.futures.Future[list[Result]]]:
    done, rest = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
    for future in done:
        for result in future.result():
            use(result)
    return rest


def _chunks(names: list[str], cases: int | None, seed: int, until: float) -> Iterator[Chunk]:
    """All subjects in turn, as often as their shares say."""
    turn = [
        name
        for level in range(max(SUBJECTS[name].share for name in names))
        for name in names
        if SUBJECTS[name].share > level
    ]
    left = cases if cases is not None else 1 << 60
    for number, name in enumerate(itertools.cycle(turn)):
        if left <= 0:
            return
        count = min(CHUNK, left)
        left -= count
        yield Chunk(name, count, seed * 1_000_003 + number, until)


_PLACE: list[tuple[World, Sandbox]] = []
"""This worker's own."""


def _begin(root: Path) -> None:
    world = World(root)
    folder = root.parent / f"worker-{os.getpid()}"
    folder.mkdir()
    _PLACE.append((world, Sandbox(folder, world)))


def _work(chunk: Chunk) -> list[Result]:
    world, sandbox = _PLACE[0]
    results: list[Result] = []

    def keep(case: Case, breaches: list[Breach], outcome: Outcome) -> None:
        printed = (outcome.stdout, outcome.stderr) if breaches else (b"", b"")
        results.append((case.to_json(), [str(breach) for breach in breaches], *printed))

    try_cases(present()[chunk.subject], world, sandbox, chunk.count, chunk.seed, keep, chunk.until)
    return results
