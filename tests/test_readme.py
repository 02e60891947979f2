"""The README promises what is there: its commands, their options, its folders, its Python."""

import importlib.metadata
import re
import shlex
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = {
    entry.name: entry
    for entry in importlib.metadata.entry_points(group="console_scripts")
    if entry.name.startswith("wn-")
}


def lines():
    """Every command line of the README, without its comment and pipes."""
    for line in README.splitlines():
        text = line.strip().removeprefix("$ ")
        if text.startswith("wn-") and line.startswith("    "):
            yield re.split(r"\s{3,}|\s\|\s", text)[0]


@pytest.mark.parametrize("line", list(lines()))
def test_a_command_of_the_readme_exists_with_its_options(line):
    name, *arguments = shlex.split(line)
    command = COMMANDS[name].load()
    context = click.Context(command)
    if isinstance(command, click.Group) and arguments:
        command = command.get_command(context, arguments.pop(0))
        assert command is not None
    known = {option for p in command.get_params(context) for option in (*p.opts, *p.secondary_opts)}
    given = {a.split("=")[0] for a in arguments if a.startswith("-") and a != "-"}
    assert given <= known


def test_every_command_is_in_the_readme():
    mentioned = set(re.findall(r"\bwn-[a-z]+", README))
    assert set(COMMANDS) <= mentioned


def test_its_files_and_folders_are_there():
    for path in re.findall(
        r"(?:examples|bench|docs|tests|runtime|targets|train|export)/[\w./-]+", README
    ):
        assert (ROOT / path.rstrip("./")).exists(), path


def test_the_two_commands_at_its_top_are_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    top = re.findall(r"^    make (\w+)", README, re.MULTILINE)
    assert top[:2] == ["demo", "test"]
    assert all(f"\n{target}:" in makefile for target in top)
