"""A pytest plugin: only PyTorch, the CUDA packages and a few more seem to be installed.

What `make test-gpu` may count on (the Makefile names them), and what those need themselves; every
other package is hidden, as if it had never been installed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import metadata

import pytest

from tests.plugins.hiding import hide

NAMED = ("pytest", "numpy", "click", "tqdm", "safetensors", "torch", "cuda-core", "cuda-bindings")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def with_needs(names: Sequence[str]) -> set[str]:
    """Distributions and all that they require, extras left out."""
    found: set[str] = set()
    left = [_normal(name) for name in names]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        wanted = (each for each in requires if "extra ==" not in each)
        left += [_normal(re.split(r"[^\w.-]", each, maxsplit=1)[0]) for each in wanted]
    return found


def modules_of(distribution: metadata.Distribution) -> set[str]:
    """The top-level names of what it installed: Python 3.10 lacks some that wheels do not list."""
    listed = distribution.read_text("top_level.txt")
    if listed:
        return set(listed.split())
    files = [file for file in distribution.files or () if file.suffix == ".py"]
    return {file.parts[0] if len(file.parts) > 1 else file.stem for file in files}


SEEN = with_needs(NAMED)
OWNERS: dict[str, set[str]] = {}
for each in metadata.distributions():
    for module in modules_of(each):
        OWNERS.setdefault(module, set()).add(_normal(each.metadata["Name"]))
HIDDEN = frozenset(module for module, owners in OWNERS.items() if not owners & SEEN) - {
    *("nvidia", "wn_runtime", "wn_targets", "wn_train", "wn_export"),
}


hide(HIDDEN)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what was hidden."""
    terminalreporter.write_line(f"hidden: {', '.join(sorted(HIDDEN))}")
