"""Every command in every page can be typed."""

from __future__ import annotations

import shlex
from importlib import metadata
from pathlib import Path

import click
import pytest

from tests.docs.typed import commands

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LINES = sorted({(line, page.name) for page in PAGES for line in commands(page.read_text(), "wn-")})
COMMANDS = {
    entry.name: entry
    for entry in metadata.entry_points(group="console_scripts")
    if entry.name.startswith("wn-")
}


@pytest.mark.parametrize(("line", "page"), LINES)
def test_a_command_is_one_that_can_be_typed(
    line: str, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its options are there, with values of their kinds, and no argument is missing or too many."""
    monkeypatch.chdir(tmp_path)
    name, *arguments = shlex.split(line)
    if name == "wn-train":
        pytest.importorskip("torch", reason="torch is not installed")
    command = COMMANDS[name].load()
    context = click.Context(command, **command.context_settings)
    if isinstance(command, click.Group) and arguments:
        found = command.get_command(context, arguments.pop(0))
        assert found is not None, line
        command = found
    command.make_context(name, arguments)


def test_there_are_many() -> None:
    assert len(LINES) > 80
    assert set(COMMANDS) <= {line.split()[0] for line, _ in LINES}


def test_a_command_that_cannot_be_typed_is_found() -> None:
    for arguments in (["--sped", "2"], [], ["a", "b"], ["a", "--batch", "many"]):
        with pytest.raises(click.UsageError):
            COMMANDS["wn-run"].load().make_context("wn-run", arguments)
