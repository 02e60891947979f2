"""Where torch is not installed, as on a device, the tests that need it are left out.

A pytest plugin (pyproject.toml names it). Which tests those are is read from their imports, and
from the imports of the test modules that they import.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]
HAVE_TORCH = importlib.util.find_spec("torch") is not None
NEEDS = ("torch", "wn_train")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out a test file that needs torch."""
    if HAVE_TORCH or collection_path.suffix != ".py":
        return None
    return True if needs_torch(collection_path) else None


@functools.cache
def needs_torch(path: Path) -> bool:
    """Whether a module of the tests or the product imports torch when it is imported."""
    for node in ast.parse(path.read_text("utf-8")).body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.split(".")[0] in NEEDS:
                return True
            file = _file(name)
            if file is not None and needs_torch(file):
                return True
    return False


def _file(module: str) -> Path | None:
    """Where a module of ours is; None for another's, and for packages."""
    floor = module.split(".")[0].removeprefix("wn_")
    folder = ROOT if floor == "tests" else ROOT / floor
    path = folder / (module.replace(".", "/") + ".py")
    return path if path.is_file() else None
