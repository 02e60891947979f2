"""Every bench starts as its first lines say: `python -m bench.x.y`, in the checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in sorted((ROOT / "bench").glob("*/**/*.py"))
    if "__main__" in path.read_text("utf-8")
}
IMPORTED = """
import importlib, sys
sys.path[0] = sys.argv[1]
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(f"{name}: {error}")
"""
"""Each up to its command."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_bench_says_how_it_is_called(name: str) -> None:
    assert f"python -m {name}" in PROGRAMS[name].read_text("utf-8").split('"""')[1]


def test_what_a_bench_imports_is_there() -> None:
    command = [sys.executable, "-E", "-c", IMPORTED, str(ROOT), *PROGRAMS]
    answer = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=300)
    assert (answer.stdout, answer.returncode) == ("", 0), answer.stderr
