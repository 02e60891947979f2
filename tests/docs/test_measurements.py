"""What pages quote figures from has its command, machine and date in one table."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| `([^`]+)` \| (.+) \| ([^|]+) \| (\d{4}-\d\d-\d\d) \|$",
    (ROOT / "docs/measurements.md").read_text("utf-8"),
    re.MULTILINE,
)


def test_every_result_that_a_page_quotes_is_there() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    quoted = {
        name
        for page in pages
        for name in re.findall(r"\(\S*bench/results/([\w.-]+)\)", page.read_text("utf-8"))
    }
    assert len(quoted) > 15
    assert quoted <= {name for name, *_ in ROWS}


def test_its_files_and_programs_are_in_the_repository() -> None:
    assert len(ROWS) > 20
    for name, command, machine, _date in ROWS:
        assert (ROOT / "bench/results" / name).exists(), name
        assert machine.strip()
        programs = re.findall(r"bench/[\w/]+\.(?:py|sh)", command)
        modules = re.findall(r"bench\.[\w.]+", command)
        programs += [f"{module.replace('.', '/')}.py" for module in modules]
        assert programs or "make " in command, name
        assert all((ROOT / program).exists() for program in programs), command
