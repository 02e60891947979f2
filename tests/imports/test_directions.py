"""Packages are imported in one direction only; import-linter holds it, and can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter", reason="import-linter is not installed")

ROOT = Path(__file__).parents[2]
VIOLATIONS = {
    "the runtime knows training": ("wn_runtime/model/spec.py", "import wn_train.config"),
    "the runtime needs torch": ("wn_runtime/model/spec.py", "import torch"),
    "targets know export": ("wn_targets/presets.py", "import wn_export.package.export"),
    "training knows targets": ("wn_train/config.py", "import wn_targets.presets"),
    "a function's import counts": (
        "wn_runtime/synthesis/pool.py",
        "def late() -> None:\n    import onnx",
    ),
    "an engine knows a command": ("wn_runtime/engines/kind.py", "import wn_runtime.commands.run"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter on the packages in `folder`, under the project's own contracts."""
    program = "import sys; from importlinter.cli import lint_imports_command as run; run()"
    arguments = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def copied(folder: Path) -> Path:
    """The four packages side by side, as an installation has them."""
    for floor in ("runtime", "targets", "train", "export"):
        source = ROOT / floor / f"wn_{floor}"
        for path in source.rglob("*.py"):
            target = folder / source.name / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder


def test_the_law_is_kept(tmp_path: Path) -> None:
    done = lint(copied(tmp_path))
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_violation_fails(tmp_path: Path, violation: str) -> None:
    file, line = VIOLATIONS[violation]
    path = copied(tmp_path) / file
    path.write_text(path.read_text("utf-8") + f"\n\n{line}\n", "utf-8")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout
