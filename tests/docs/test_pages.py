"""The tutorial does what it says: its commands in their order, its output, its Python.

In a page that is run, a block fenced as `console` holds commands, each after `$ `, and the lines
that they print: all of these, in that order, figures aside; a line `…` stands for any number of
others. A block fenced as `python` is run with the names of those before it. Figures are made small
first.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.models.model_dir import write_model
from tests.models.specs import CORNERS

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs/tutorial.md"
SMALLER = {"--clips 200": "--clips 3", "--steps 600": "--steps 3", "--seconds 2": "--seconds 0.1"}
"""What a user waits for, and a test need not."""


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Language and text of each fenced block."""
    yield from re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def steps(text: str) -> Iterator[tuple[str, list[str]]]:
    """`python` and its lines; or a command, and the lines it prints."""
    for language, block in blocks(text):
        if language == "python":
            yield language, block.splitlines()
        elif language == "console":
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, *printed = part.splitlines()
                yield command, printed


def run(command: str) -> str:
    """What a command prints, both streams; it must succeed."""
    for large, small in SMALLER.items():
        command = command.replace(large, small)
    name, *arguments = shlex.split(command)
    if name == "python":
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
    (entry,) = metadata.entry_points(group="console_scripts", name=name)
    result = CliRunner().invoke(entry.load(), arguments)
    assert result.exit_code == 0, f"{command}\n{result.output}"
    return result.output


def plain(line: str) -> str:
    """A line without its figures, and without how wide they make it."""
    return " ".join(re.sub(r"[-+]?\d[\d.,e+-]*|\bnone\b", "#", line).split())


def missing(printed: list[str], wanted: list[str]) -> str | None:
    """The first line that should have been printed and was not, in that order; None: all were."""
    left = iter([plain(line) for line in printed])
    exact = True
    for line in map(plain, wanted):
        if line == "…":
            exact = False
            continue
        found = next(left, None) if exact else next((each for each in left if each == line), None)
        if found != line:
            return line
        exact = True
    return None


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("torch", "onnxruntime", "onnx", "matplotlib"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler is here")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    done = 0
    for command, lines in steps(TUTORIAL.read_text("utf-8")):
        done += 1
        if command == "python":
            exec(compile("\n".join(lines), str(TUTORIAL), "exec"), names)
            continue
        printed = run(command).splitlines()
        lacking = missing(printed, lines)
        assert lacking is None, f"$ {command}\n{lacking}\nis not in\n" + "\n".join(printed)
    assert done > 10
    assert {"piano.wav", "strings.wav", "organ.wav", "speed.json"} <= {
        path.name for path in tmp_path.iterdir()
    }


def test_the_example_of_the_api_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(tmp_path / "voice", CORNERS["two_conditions"])
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/reference/python.md").read_text("utf-8")
    (lines,) = [lines for language, lines in steps(page) if language == "python"]
    exec(compile("\n".join(lines), "python.md", "exec"), {})
    assert (tmp_path / "both.wav").exists()


def test_lines_are_held_to_what_was_printed() -> None:
    printed = ["one  1.5", "two", "three 7"]
    assert missing(printed, ["one 99", "two", "three 1"]) is None
    assert missing(printed, ["…", "three 2"]) is None
    assert missing(printed, ["one 2", "…"]) is None
    assert missing(printed, ["two"]) == "two", "something is before it"
    assert missing(printed, ["…", "two", "one 2"]) == "one #", "in another order"
    assert missing(printed, ["…", "four"]) == "four"
    assert missing([], ["one"]) == "one"


def test_commands_and_output_are_told_apart() -> None:
    text = "```console\n$ a b\nc\n$ d\n```\n\n```python\ne\n```\n\n```sh\nf\n```\n"
    assert list(steps(text)) == [("a b", ["c"]), ("d", []), ("python", ["e"])]
