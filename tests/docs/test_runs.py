"""Every command in every page does what the page says it does: it is run, made small, and succeeds.

Each line stands alone, on a desk that has what it names (desk.py). What it pipes into or from is a
stand-in, what it waits for is made shorter. The tutorial is run as a whole by test_pages.py.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.docs.typed import lines
from tests.runtime.engines.native.wheel import needs_zig

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
STARTS = ("wn-", "python ", "torchrun ", "echo ", "features ", "pip ", "make ", "sh ")
ELSEWHERE = {
    r"^make (demo|test)\b|^wn-export examples/digits\.pt": "CI",
    r"^make (voice|vocoder)": "an hour of training",
    r"^pip ": "make demo installs from a checkout; test_own_wheel.py has the wheel",
    r"--bundle": "tests/export/bundle; with an index's wheels bench/install/bundle_trial.sh",
    r"--engine plain": "tests/seams/test_toy_engine.py",
    r"cortex-a53|student": "its page has the code that it needs: tests/seams, tests/targets",
    r"^wn-run stranger/ --engine native": "no compiler: tests/runtime/engines/test_trust.py",
    r"joblib": "joblib is no dependency of ours",
    r"…": "it stands for any",
}
"""What is not run here, and what runs it."""
REFUSED = {
    r"engine\.plan": "build it on this machine with wn-export mine --fp16",
}
"""What is an error here, and the words of it."""
SHORTER = {
    r"--nproc-per-node \d+": "--nproc-per-node 1",
    r"--preset \w+": "--preset tiny",
    r"--clips \d+": "--clips 3",
    r"(music/make\.py \S+)$": r"\1 --clips 3",
    r"--steps [\d_]+": "--steps 2",
    r"(wn-train (?!.*--steps).*)": r"\1 --steps 2",
    r"(torchrun (?!.*--steps).*)": r"\1 --steps 2",
    r"(wn-(?:run|bench) (?!.*--(?:seconds|text|frames|trust)).*?)( \||$)": r"\1 --seconds 0.1\2",
    r"(generate\.py mine/ out\.wav) 2": r"\1 0.1",
    r"--seconds 2": "--seconds 0.1",
}
FIRST = {
    r"examples/onnx/generate\.py|--engine generator": "wn-export mine --generator",
}
"""What the page has said before."""
STAND_INS = {"aplay": "head -c 100 > /dev/null", "features": "cat frames.raw"}


LINES = [
    (page.name, line)
    for page in PAGES
    if page.name != "tutorial.md"
    for line in dict.fromkeys(lines(page.read_text("utf-8"), STARTS))
]
HERE = [
    pytest.param(page, line, marks=[needs_zig] if "--target browser" in line else [])
    for page, line in LINES
    if not any(re.search(where, line) for where in ELSEWHERE)
]


def run(line: str) -> None:
    """A command line in the current directory; it must succeed."""
    name, *arguments = shlex.split(line)
    if " | " in line:
        _shell(line)
    elif name.startswith("wn-"):
        code, said = _command(name, arguments)
        assert code == 0, f"{line}\n{said}"
    elif name == "torchrun":
        _program("-m", "torch.distributed.run", *arguments)
    elif " -m bench." in line:  # they measure for minutes: what they take, at least
        said = _program(*arguments[:2], "--help")
        for option in filter(re.compile("--").match, arguments):
            assert option.split("=")[0] in said, line
    else:
        _program(*arguments)


def _command(name: str, arguments: list[str]) -> tuple[int, str]:
    (entry,) = metadata.entry_points(group="console_scripts", name=name)
    result = CliRunner().invoke(entry.load(), arguments)
    return result.exit_code, result.output


def _program(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _shell(line: str) -> None:
    """One with pipes: its ends are stand-ins."""
    folder = Path("stand-ins")
    folder.mkdir()
    for name, text in STAND_INS.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    path = f"{folder.absolute()}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", line], env={**os.environ, "PATH": path}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"error" not in done.stderr, done.stderr.decode()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for module in ("torch", "onnx", "onnxruntime", "matplotlib", "pyworld", "pocketsphinx"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    from tests.docs import desk

    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "examples").symlink_to(ROOT / "examples")
        desk.make(folder, run)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("page", "line"), HERE)
def test_it_does_what_the_page_says(
    template: Path, page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.docs import desk

    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    desk.lay_out(template, line, next(each for each in PAGES if each.name == page))
    for before, first in FIRST.items():
        if re.search(before, line):
            run(first)
    short = line
    for long, shorter in SHORTER.items():
        short = re.sub(long, shorter, short)
    words = next((words for where, words in REFUSED.items() if re.search(where, line)), None)
    if words is None:
        desk.clear(short)
        run(short)
        return
    name, *arguments = shlex.split(short)
    code, said = _command(name, arguments)
    assert code == 2
    assert words in said


def test_what_is_not_run_is_still_there() -> None:
    """No exception outlives its lines, and most lines are run."""
    for where in (*ELSEWHERE, *REFUSED, *FIRST):
        assert any(re.search(where, line) for _, line in LINES), where
    for where, who in ELSEWHERE.items():
        for path in re.findall(r"(?:tests|bench)/[\w./]+", who):
            assert (ROOT / path).exists(), where
    assert len(HERE) > 80
