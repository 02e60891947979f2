"""Every bench starts as its first lines say: `python bench/x.py`, or `python -m bench.x`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (ROOT / "bench").glob("*.py") if "__main__" in path.read_text())
IMPORTED = """
import runpy, sys
before = [sys.argv[1], *sys.path[1:]]
for name in sys.argv[2:]:
    sys.path[:] = before
    for own in [module for module in sys.modules if module.split(".")[0] in ("tests", "bench")]:
        del sys.modules[own]
    try:
        runpy.run_path(name, run_name="imported")
    except ImportError as error:
        print(f"{name}: {error}")
"""
"""Up to its command, in a process whose path is that of the way in which it is called."""


def way(script: Path) -> str:
    """The documented one. Fails where there is none."""
    name = re.escape(script.stem)
    found = re.search(rf"python3? (?:bench/{name}\.py|(-m) bench\.{name})\b", script.read_text())
    assert found, f"{script.name} does not say how it is called"
    return found[1] or "file"


@pytest.mark.parametrize(("called", "path"), [("file", "bench"), ("-m", ".")])
def test_what_a_bench_imports_is_there_as_it_is_called(called: str, path: str) -> None:
    scripts = [str(script) for script in SCRIPTS if way(script) == called]
    assert scripts
    command = [sys.executable, "-E", "-c", IMPORTED, str(ROOT / path), *scripts]
    answer = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=300)
    assert (answer.stdout, answer.returncode) == ("", 0), answer.stderr
