"""What was found once: every case in regressions/ ends well, for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.campaign import checked, load, paths_of
from tests.fuzz.case import Case
from tests.fuzz.commands import COMMANDS, here
from tests.fuzz.sandbox import Sandbox
from tests.fuzz.world import World

CASES = list(paths_of(Path(__file__).parent / "regressions"))


def _case(path: Path) -> Any:
    long = load(path).command == "wn-bench"  # which times every engine
    return pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if long else [])


@pytest.mark.parametrize("path", [_case(path) for path in CASES])
def test_it_does_not_come_back(world: World, sandbox: Sandbox, path: Path) -> None:
    case = load(path)
    missing = [name for name in case.inputs if not world.has(name)]
    if missing or not here(*COMMANDS[case.command].needs) or not _edits_run_here(case):
        pytest.skip("needs torch or onnx, which are not installed")
    breaches, outcome = checked(case, sandbox)
    assert not breaches, outcome.stderr.decode("utf-8", "backslashreplace")


def _edits_run_here(case: Case) -> bool:
    needs = {"checkpoint": "torch", "graph": "onnx"}
    modules = {edit.how.split(".")[0] for edit in case.edits}
    return all(here(package) for module, package in needs.items() if module in modules)


def test_a_case_is_its_json() -> None:
    for path in CASES:
        case = load(path)
        assert Case.from_json(case.to_json()) == case
