"""Figures depend on nothing in the working directory or at home, and say nothing of either."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from wn_runtime import isolated
from wn_train import figures

DRAW = """
import hashlib, os, sys
from wn_train import figures
def draw(figure):
    axes = figure.subplots()
    axes.plot([0, 1, 0])
    axes.set_title("voice")
picture = figures.drawn((2, 1), draw, "png", 50)
print(hashlib.sha256(picture).hexdigest(), os.getcwd())
"""


def drawn_in(folder: Path, **environment: str | None) -> tuple[str, str]:
    """What a process of its own draws there: the picture's digest, and what it said."""
    changed = {**os.environ, **environment}
    done = subprocess.run(
        isolated.python(DRAW),
        cwd=folder,
        env={name: value for name, value in changed.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    digest, after = done.stdout.split(maxsplit=1)
    assert Path(after.strip()) == folder, "and is where it was"
    return digest, done.stderr


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> str:
    return drawn_in(tmp_path_factory.mktemp("empty"))[0]


@pytest.mark.parametrize(
    "settings",
    [
        "lines.linewidth: 20\naxes.facecolor: red\n",
        "backend: module://evil\n",
        "text.usetex: True\n",
        "nonsense\n",
        "axes.prop_cycle: cycler('color', [__import__('os').system('touch was_run')])\n",
    ],
)
def test_settings_in_the_working_directory_are_not_read(
    tmp_path: Path, usual: str, settings: str
) -> None:
    (tmp_path / "matplotlibrc").write_text(settings)
    (tmp_path / "evil.py").write_text("open('was_run', 'w')")
    (tmp_path / "matplotlib.py").write_text("open('was_run', 'w')")
    assert drawn_in(tmp_path) == (usual, "")
    assert not (tmp_path / "was_run").exists()


def test_a_pipe_in_the_working_directory_blocks_nothing(tmp_path: Path, usual: str) -> None:
    os.mkfifo(tmp_path / "matplotlibrc")
    assert drawn_in(tmp_path) == (usual, "")


def test_settings_at_home_are_not_read(tmp_path: Path, usual: str) -> None:
    folder = tmp_path / "home" / ".config" / "matplotlib"
    folder.mkdir(parents=True)
    (folder / "matplotlibrc").write_text("lines.linewidth: 20\nnonsense\n")
    home = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": None, "XDG_CACHE_HOME": None}
    assert drawn_in(tmp_path, **home, MPLCONFIGDIR=None) == (usual, "")


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": None},
        {"HOME": "~"},
        {"HOME": "/dev/null/x", "XDG_CONFIG_HOME": "~/x"},
        {"HOME": "/proc"},
        {"MPLCONFIGDIR": "here"},
        {"MPLBACKEND": "nonsense"},
        {"MATPLOTLIBRC": "/dev/zero"},
    ],
)
def test_without_a_home_nothing_is_said_and_nothing_left(
    tmp_path: Path, usual: str, environment: dict[str, str | None]
) -> None:
    (tmp_path / "temporary").mkdir()
    none = {"XDG_CONFIG_HOME": None, "XDG_CACHE_HOME": None, "MPLCONFIGDIR": None}
    settings = {**none, "TMPDIR": str(tmp_path / "temporary"), **environment}
    assert drawn_in(tmp_path, **settings) == (usual, "")
    left = [path.name for path in tmp_path.rglob("*")]
    assert left == ["temporary"]


def test_what_another_part_of_a_program_has_set_changes_nothing() -> None:
    import matplotlib

    def draw(figure: object) -> None:
        figure.subplots().plot([0, 1])  # type: ignore[attr-defined]

    before = figures.drawn((2, 1), draw, "png", 50)
    with matplotlib.rc_context({"lines.linewidth": 20}):
        assert figures.drawn((2, 1), draw, "png", 50) == before
        assert matplotlib.rcParams["lines.linewidth"] == 20
