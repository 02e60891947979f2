"""A child of ours runs nothing of the directory that it, or we, were started in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wn_runtime import isolated

TRAP = "import pathlib; pathlib.Path({0!r}).write_text('ran')"


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A working directory whose modules leave a file behind when they are imported."""
    here = tmp_path / "here"
    here.mkdir()
    for name in ("json", "numpy", "wn_runtime", "sitecustomize", "encodings", "click"):
        (here / f"{name}.py").write_text(TRAP.format(str(tmp_path / "ran")))
    return here


def test_modules_of_the_working_directory_are_not_imported(trap: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        isolated.python(
            "import json, numpy, wn_runtime; print(json.dumps(sys.argv[1:]))", "a", "b"
        ),
        cwd=trap,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == '["a", "b"]\n'
    assert not (tmp_path / "ran").exists()


def test_nor_through_the_environment(trap: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(trap), "PYTHONSTARTUP": str(trap / "json.py")}
    subprocess.run(isolated.python("import json"), env=environment, cwd=trap, check=True)
    assert not (tmp_path / "ran").exists()


def test_a_child_finds_what_we_find(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ours.py").write_text("value = 7")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "path", ["", *sys.path])  # as where we ourselves run by `python -m`
    code = "import ours; assert '' not in sys.path; print(ours.value)"
    done = subprocess.run(isolated.python(code), capture_output=True, text=True, check=True)
    assert done.stdout == "7\n"


@pytest.mark.parametrize("command", ["doctor", "inspect", "run"])
def test_no_command_runs_what_lies_in_the_working_directory(
    trap: Path, tmp_path: Path, command: str
) -> None:
    script = Path(sys.executable).with_name(f"wn-{command}")
    if not script.exists():
        pytest.skip("the commands are not installed")
    asked = [] if command == "doctor" else ["nothing"]
    subprocess.run([script, *asked], cwd=trap, capture_output=True, check=False)
    assert not (tmp_path / "ran").exists()
