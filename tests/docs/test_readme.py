"""The README promises what is there: its modules, its Python, its files."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from pathlib import Path

import pytest

from tests.docs.typed import code, commands
from tests.models.speaking import write_voice

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
WORDS = "seven S EH V AH N\nfour F AO R\ntwo T UW\n"
COMMANDS = {
    entry.name
    for entry in importlib.metadata.entry_points(group="console_scripts")
    if entry.name.startswith("wn-")
}


def test_its_modules_can_be_run() -> None:
    """`torchrun -m …`, `python -m …`."""
    for name in re.findall(r" -m ([\w.]+)", "\n".join(code(README))):
        found = importlib.util.find_spec(name)
        assert found is not None, name
        if found.submodule_search_locations is not None:
            assert importlib.util.find_spec(f"{name}.__main__"), name


def test_every_command_is_in_it() -> None:
    mentioned = set(re.findall(r"\bwn-[a-z]+", README))
    assert mentioned >= COMMANDS


def test_the_two_commands_at_its_top_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    top = [line.split()[1] for line in commands(README, "make ")]
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
