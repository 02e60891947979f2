"""The commands, and what each imports before it forks a child a case."""

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
    ahead: tuple[str, ...] = ()
    """What it imports late; here before the fork, where it is installed."""
    needs: tuple[str, ...] = ()
    """Without these there is no such command."""


_RUN = ("soundfile", "numpy.random")
_TORCH = ("torch", "wn_export.parity.trained", "wn_export.parity.pytorch")
_EXPORT = ("onnx", *_RUN, *_TORCH, "wn_export.parity.page", "matplotlib.backends.backend_svg")
_TRAIN = ("torch", "torch.utils.tensorboard", "soxr")

COMMANDS: dict[str, Command] = {
    "wn-run": Command("wn_runtime.commands.run:main", _RUN),
    "wn-inspect": Command("wn_runtime.commands.inspect:main"),
    "wn-targets": Command("wn_targets.commands.targets:main"),
    "wn-doctor": Command("wn_runtime.commands.doctor:main"),
    "wn-parity": Command("wn_export.commands.parity:main", _EXPORT, ("onnx",)),
    "wn-export": Command("wn_export.commands.export:main", _EXPORT, ("onnx",)),
    "wn-bench": Command("wn_export.commands.bench:main", _EXPORT, ("onnx",)),
    "wn-train": Command("wn_train.commands.train:main", _TRAIN, ("torch",)),
}


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
