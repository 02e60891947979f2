"""Nothing of the runtime must fail for want of what only Linux has (windows_like.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def windows(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([*map(os.path.abspath, sys.path), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "tests.runtime.system.windows_like", *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PATH": "", "CC": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_every_module_is_imported_and_the_cpu_known(tmp_path: Path) -> None:
    done = windows(tmp_path, "import")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["windows", "x86_64"]
    assert "avx2" in done.stdout.split()


def test_a_model_is_opened_run_twice_to_one_file_and_trusted(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: no model can be made")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    from tests.models.model_dir import write_model
    from tests.models.specs import CORNERS

    write_model(tmp_path / "model", CORNERS["plain"])
    command = ("run", "model", "--engine", "onnx", "--seconds", 0.05, "-o", "out.wav")
    first = windows(tmp_path, *command)
    assert first.returncode == 0, first.stderr
    made = (tmp_path / "out.wav").read_bytes()
    second = windows(tmp_path, *command, "--trust")
    assert second.returncode == 0, second.stderr
    assert (tmp_path / "out.wav").read_bytes() == made
    left = {path.name for path in tmp_path.iterdir()} - {"wavestep"}
    assert left == {"model", "out.wav"}


def test_what_it_takes_away_is_missed_where_it_is_used(tmp_path: Path) -> None:
    """The check can fail: the same stand-in, and code of Linux alone."""
    code = "from tests.runtime.system import windows_like\nwindows_like.become()\n"
    for use in ("import fcntl", "import os; os.geteuid()", "import ctypes; ctypes.CDLL(None)"):
        done = subprocess.run(
            [sys.executable, "-c", code + use],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT)])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, use
        assert "Error" in done.stderr
