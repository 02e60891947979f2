"""What runs on the device is light: nothing of it loads torch, onnx or matplotlib."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import wn_runtime

FORBIDDEN = ("torch", "onnx", "matplotlib", "wn_train", "wn_export")
HEAVY = ("onnxruntime", "tensorrt", "cuda", "soundfile", "sounddevice", "tqdm")
MODULES = sorted(
    ".".join(("wn_runtime", *path.relative_to(folder).with_suffix("").parts))
    for folder in [Path(wn_runtime.__path__[0])]
    for path in folder.rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)


def loaded_by(statement: str) -> set[str]:
    """Top-level names in sys.modules after a statement, in a fresh interpreter."""
    script = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(process.stdout.split())


def test_no_module_of_the_runtime_loads_torch_or_onnx() -> None:
    statement = f"import importlib\nfor module in {MODULES}: importlib.import_module(module)"
    assert loaded_by(statement).isdisjoint(FORBIDDEN)


@pytest.mark.parametrize(
    "module", ["wn_runtime", "wn_runtime.commands.run", "wn_runtime.engines.registry"]
)
def test_starting_up_and_knowing_the_engines_loads_nothing_heavy(module: str) -> None:
    assert loaded_by(f"import {module}").isdisjoint((*FORBIDDEN, *HEAVY))


def test_the_bare_package_does_not_even_load_numpy() -> None:
    assert "numpy" not in loaded_by("import wn_runtime")


def test_the_check_can_fail() -> None:
    assert "onnx" in loaded_by("import wn_runtime, onnx")
    assert len(MODULES) > 60


def test_the_public_names_are_there() -> None:
    assert set(wn_runtime.__all__) <= set(dir(wn_runtime))
    for name in wn_runtime.__all__:
        assert getattr(wn_runtime, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        _ = wn_runtime.opne
