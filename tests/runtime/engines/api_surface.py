"""What a typing.Protocol declares, as data, to hold it against the real thing."""

from __future__ import annotations

import inspect
import re
from typing import Any


def members(protocol: Any) -> dict[str, tuple[str, ...] | None]:
    """Name to parameter names of a protocol's methods, without self; None for an attribute."""
    table: dict[str, tuple[str, ...] | None] = dict.fromkeys(protocol.__annotations__)
    for name, value in vars(protocol).items():
        if inspect.isfunction(value) and (not name.startswith("_") or name == "__call__"):
            table[name] = parameters(value)
    return table


def parameters(function: Any) -> tuple[str, ...]:
    """Parameter names of a Python function, without self."""
    names = inspect.signature(function).parameters
    return tuple(name for name in names if name not in ("self", "_"))


def documented(doc: str, name: str) -> list[list[tuple[str, bool]]]:
    """The overloads in a pybind11 docstring: each parameter's name, and whether it may be left out.

    >>> documented("f(self: a.B, n: int, k: int = 3) -> bool", "f")
    [[('n', False), ('k', True)]]
    """
    found = []
    for line in doc.splitlines():
        match = re.match(rf"(?:\d+\. )?{re.escape(name)}\((.*)\) -> ", line.strip())
        if match and not match.group(1).startswith("*args"):
            parts = re.split(r",\s*(?=\w+\s*:)", match.group(1))
            pairs = [(part.split(":")[0].strip(), " = " in part) for part in parts if part]
            found.append([pair for pair in pairs if pair[0] != "self"])
    return found


def fits(wanted: tuple[str, ...], overloads: list[list[tuple[str, bool]]]) -> bool:
    """Whether a call with `wanted` is right for one of the overloads."""
    for overload in overloads:
        names = [name for name, _ in overload]
        rest = overload[len(wanted) :]
        if tuple(names[: len(wanted)]) == wanted and all(optional for _, optional in rest):
            return True
    return False
