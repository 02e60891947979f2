"""The reference of `wn_runtime`'s public names: signatures and docstrings as they are."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any

import wn_runtime
from wn_docs.fields import attributes


def page() -> str:
    """Markdown: functions, then classes with their methods and properties."""
    found = {name: getattr(wn_runtime, name) for name in wn_runtime.__all__}
    functions = {name: each for name, each in found.items() if inspect.isfunction(each)}
    classes = {name: each for name, each in found.items() if inspect.isclass(each)}
    assert len(functions) + len(classes) == len(found)
    lines = ["## Functions", ""]
    for name, function in functions.items():
        lines += _entry("###", f"wn.{name}", name, function)
    for name, cls in classes.items():
        lines += [f"## {name}", "", *_text(cls)]
        if "__init__" in vars(cls) and not dataclasses.is_dataclass(cls):
            told = attributes(cls)
            lines += [*(f"- `{attribute}`: {words}" for attribute, words in told.items()), ""]
        for member, value in members(cls):
            lines += _entry("###", f"{name}.{member}", member, value)
    return "\n".join(lines) + "\n"


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties that it defines, and its context manager by no name."""
    for name, value in vars(cls).items():
        public = not name.startswith("_") or name in ("__aiter__", "__iter__")
        if public and (inspect.isroutine(value) or isinstance(value, (property, classmethod))):
            yield name, value


def _entry(level: str, title: str, name: str, value: Any) -> list[str]:
    lines = [f"{level} {title}", ""]
    if not isinstance(value, property):
        lines += ["```python", f"{name}{_signature(value)}", "```", ""]
    return [*lines, *_text(value)]


def _signature(value: Any) -> str:
    function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
    signature = inspect.signature(function)
    parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    parameters = [_shown(parameter) for parameter in parameters]
    text = str(signature.replace(parameters=parameters)).replace("'", "").replace("Ellipsis", "...")
    if len(text) < 72:
        return text
    shown = ",\n    ".join(re.sub("'", "", str(p)).replace("Ellipsis", "...") for p in parameters)
    returned = signature.return_annotation
    after = "" if returned is inspect.Signature.empty else f" -> {str(returned).strip(chr(39))}"
    return f"(\n    {shown},\n){after}"


def _shown(parameter: inspect.Parameter) -> inspect.Parameter:
    """A default that is a function is written as dots."""
    return parameter.replace(default=...) if inspect.isfunction(parameter.default) else parameter


def _text(value: Any) -> list[str]:
    """A docstring as Markdown: prose as it is, examples between fences."""
    lines: list[str] = []
    example = False
    for line in (inspect.getdoc(value) or "").split("\n"):
        begins = line.lstrip().startswith(">>> ")
        if begins and not example:
            lines.append("```python")
            example = True
        elif example and not line.strip():
            lines.append("```")
            example = False
        lines.append(line.strip() if example else line)
    if example:
        lines.append("```")
    return [*lines, ""]
