"""Cases of one subject, one after another; what breaks the law is told, and the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.fuzz import law
from tests.fuzz.case import Case
from tests.fuzz.law import Breach
from tests.fuzz.sandbox import Outcome, Sandbox
from tests.fuzz.subjects.subject import Subject
from tests.fuzz.world import World

Report = Callable[[Case, list[Breach], Outcome], None]


class _Enough(Exception):
    """The time is up."""


def try_cases(
    subject: Subject,
    world: World,
    sandbox: Sandbox,
    count: int,
    number: int,
    report: Report,
    until: float = float("inf"),
) -> None:
    """Run `count` cases that the seed `number` gives; `report` hears of each, good or not.

    until: the time (monotonic) after which no case is begun.
    """

    def one(case: Case) -> None:
        if time.monotonic() > until:
            raise _Enough
        report(case, *checked(case, sandbox))

    try:
        _each(subject.cases(world), count, number, one)
    except _Enough:
        return


def checked(case: Case, sandbox: Sandbox) -> tuple[list[Breach], Outcome]:
    """The breaches of a case. One that was slow is run again: another program may have been."""
    outcome = sandbox.run(case)
    if outcome.timed_out:
        outcome = sandbox.run(case)
    return law.judge(case, outcome), outcome


def _each(
    strategy: SearchStrategy[Case], count: int, number: int, use: Callable[[Case], None]
) -> None:
    """Call `use` with that many examples."""

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(case: Case) -> None:
        use(case)

    draw()


def paths_of(folder: Path) -> Iterator[Path]:
    """The cases (`*.json`) in a folder, in order."""
    yield from sorted(folder.glob("*.json"))


def load(path: Path) -> Case:
    """A case as a finding or a regression keeps it."""
    return Case.from_json(path.read_text("utf-8"))
