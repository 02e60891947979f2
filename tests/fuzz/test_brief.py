"""A few cases of every subject, always the same: what `make fuzz` does at length."""

from __future__ import annotations

import pytest

from tests.fuzz.campaign import try_cases
from tests.fuzz.case import Case
from tests.fuzz.commands import here
from tests.fuzz.law import Breach
from tests.fuzz.sandbox import Outcome, Sandbox
from tests.fuzz.subjects.registry import SUBJECTS
from tests.fuzz.world import World


@pytest.mark.parametrize("name", SUBJECTS)
def test_no_case_breaks_the_law(world: World, sandbox: Sandbox, name: str) -> None:
    subject = SUBJECTS[name]
    if not here(*subject.needs):
        pytest.skip(f"needs {', '.join(subject.needs)}")
    broken: list[str] = []

    def keep(case: Case, breaches: list[Breach], outcome: Outcome) -> None:
        if breaches:
            told = outcome.stderr.decode("utf-8", "backslashreplace")[-500:]
            broken.append(f"{', '.join(map(str, breaches))}\n{told}\n{case.to_json()}")

    try_cases(subject, world, sandbox, subject.brief, number=1, report=keep)
    assert not broken, "\n".join(broken)
