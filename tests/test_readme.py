"""The README promises what is there: its commands as they stand, its Python, its files."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.speaking import write_voice

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
WORDS = "seven S EH V AH N\nfour F AO R\ntwo T UW\n"
COMMANDS = {
    entry.name: entry
    for entry in importlib.metadata.entry_points(group="console_scripts")
    if entry.name.startswith("wn-")
}


def code() -> Iterator[str]:
    """The lines of its code, indented or between fences; a line that goes on is one."""
    fenced = False
    for line in README.replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip().removeprefix("$ ")


def commands(start: str) -> list[str]:
    """Each command line that begins so, without its comment and what it is piped into."""
    lines = [line for line in code() if line.startswith(start)]
    return [re.split(r"\s{3,}|\s+[|#]\s", line)[0] for line in lines]


@pytest.mark.parametrize("line", commands("wn-"))
def test_a_command_is_one_that_can_be_typed(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its options are there, with values of their kinds, and no argument is missing or too many."""
    monkeypatch.chdir(tmp_path)
    name, *arguments = shlex.split(line)
    if name == "wn-train":
        pytest.importorskip("torch", reason="torch is not installed")
    command = COMMANDS[name].load()
    context = click.Context(command)
    if isinstance(command, click.Group) and arguments:
        found = command.get_command(context, arguments.pop(0))
        assert found is not None, line
        command = found
    command.make_context(name, arguments)


def test_a_command_that_cannot_be_typed_is_found() -> None:
    for arguments in (["--sped", "2"], [], ["a", "b"], ["a", "--batch", "many"]):
        with pytest.raises(click.UsageError):
            COMMANDS["wn-run"].load().make_context("wn-run", arguments)


def test_its_modules_can_be_run() -> None:
    """`torchrun -m …`, `python -m …`."""
    for name in re.findall(r" -m ([\w.]+)", "\n".join(code())):
        found = importlib.util.find_spec(name)
        assert found is not None, name
        if found.submodule_search_locations is not None:
            assert importlib.util.find_spec(f"{name}.__main__"), name


def test_every_command_is_in_it() -> None:
    mentioned = set(re.findall(r"\bwn-[a-z]+", README))
    assert set(COMMANDS) <= mentioned


def test_the_two_commands_at_its_top_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    top = [line.split()[1] for line in commands("make ")]
    assert top[:2] == ["demo", "test"]
    assert all(f"\n{target}:" in makefile for target in top)


def test_its_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a small voice of the shipped one's speakers and words."""
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert blocks
    write_voice(tmp_path / "digits", WORDS, SPEAKERS)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:  # one goes on where the other ended
        exec(compile(block, "README.md", "exec"), names)
    assert list(tmp_path.glob("*.wav")), "it wrote no sound"


def test_its_files_and_folders_are_there() -> None:
    folders = r"(?:examples|bench|docs|tests|runtime|targets|train|export)/[\w./-]+"
    links = r"\]\(([^):#]+)"
    paths = [*re.findall(folders, README), *re.findall(links, README)]
    assert len(paths) > 5
    for path in paths:
        assert (ROOT / path.rstrip("./")).exists(), path
