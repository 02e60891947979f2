"""The commands, and what is imported for them before a child is forked a case."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Command:
    """A console script."""

    entry: str
    """module:function."""
    needs: tuple[str, ...] = ()
    """Without these there is no such command."""
    zygote: str = "light"
    """Which one it is forked from: a key of `AHEAD`."""
    seconds: float = 10.0
    """It hangs where it takes longer."""


COMMANDS: dict[str, Command] = {
    "wn-run": Command("wn_runtime.commands.run:main"),
    "wn-inspect": Command("wn_export.commands.inspecting:main", zygote="heavy"),
    "wn-targets": Command("wn_export.commands.targets:main"),
    "wn-features": Command("wn_train.commands.features:main"),
    "wn-doctor": Command("wn_runtime.commands.doctor:main"),
    "wn-parity": Command("wn_export.commands.parity:main", ("onnx",), "heavy"),
    "wn-export": Command("wn_export.commands.export:main", ("onnx",), "heavy"),
    "wn-bench": Command("wn_export.commands.bench:main", ("onnx",), "heavy", 60.0),
    "wn-import": Command("wn_export.commands.importing:main", ("torch", "onnx"), "heavy"),
    "wn-train": Command("wn_train.commands.train:main", ("torch",), "heavy"),
}
_LATE = ("soundfile", "numpy.random", "soxr")
_TORCH = (
    "torch",
    "torch.utils.tensorboard",
    "wn_export.parity.trained",
    "wn_export.parity.pytorch",
    "wn_export.parity.vectors",
    "wn_train.importers.reading",
    "wn_train.importers.writing",
)
AHEAD: dict[str, tuple[str, ...]] = {
    "light": _LATE,
    "heavy": (*_LATE, *_TORCH, "onnx", "wn_export.parity.page", "matplotlib.backends.backend_svg"),
    "toy": (),
}
"""What commands import late, imported before the fork where it is installed.

Never onnxruntime: importing it starts a thread, which a forked child waits for in vain at its end.
"""


def modules(zygote: str) -> list[str]:
    """All that a zygote imports."""
    entries = [command.entry for command in COMMANDS.values() if command.zygote == zygote]
    return [*(entry.split(":")[0] for entry in entries), *AHEAD[zygote]]


def here(*packages: str) -> bool:
    """Whether these are installed."""
    return all(importlib.util.find_spec(name) is not None for name in packages)


def available() -> list[str]:
    """The commands that this installation has."""
    return [name for name, command in COMMANDS.items() if here(*command.needs)]


def click_command(name: str) -> Any:
    """The click command, for its options."""
    module, function = COMMANDS[name].entry.split(":")
    return getattr(importlib.import_module(module), function)
