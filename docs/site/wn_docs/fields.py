"""What a dataclass says of its fields: type, default, and the docstring under each."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wn_runtime.model import strict

_TYPES = {
    "int": "integer",
    "float": "number",
    "str": "text",
    "bool": "true, false",
    "tuple[int, ...]": "list of integers",
    "tuple[str, ...]": "list of texts",
}


@dataclass(frozen=True)
class Field:
    """One field, in words."""

    name: str
    type: str
    default: Any
    """dataclasses.MISSING where it must be given."""
    words: str
    """Its docstring in one line; empty without one."""


def fields(cls: type, *elsewhere: type) -> Iterator[Field]:
    """The fields of a dataclass. elsewhere: classes whose docstrings of the same name serve too."""
    classes = [base for each in (cls, *elsewhere) for base in each.__mro__]
    words = [_docstrings(each) for each in classes if dataclasses.is_dataclass(each)]
    for field in dataclasses.fields(cls):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        said = next((found[field.name] for found in words if field.name in found), "")
        yield Field(field.name, str(field.type), default, said)


def type_of(name: str) -> str:
    """A field's type in words; as Python writes it where there are none."""
    name = name.removesuffix(" | None")
    return _TYPES.get(name, name)


def default_of(value: Any) -> str:
    """A default as JSON and TOML write it."""
    if value is dataclasses.MISSING:
        return "must be given"
    if value is None:
        return "left out"
    return f"`{json.dumps(strict.plain(value), ensure_ascii=False)}`"


def _docstrings(cls: type) -> dict[str, str]:
    """Field to the string that stands under it."""
    return {
        above.target.id: words
        for above, words in _said(_class(cls).body)
        if isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name)
    }


def attributes(cls: type) -> dict[str, str]:
    """Public attributes that `__init__` sets and explains, to the string under each."""
    (init,) = (
        each
        for each in _class(cls).body
        if isinstance(each, ast.FunctionDef) and each.name == "__init__"
    )
    found: dict[str, str] = {}
    for above, words in _said(init.body):
        targets = above.targets if isinstance(above, ast.Assign) else []
        each = [part for t in targets for part in (t.elts if isinstance(t, ast.Tuple) else [t])]
        names = [part.attr for part in each if isinstance(part, ast.Attribute)]
        found |= {name: words for name in names if not name.startswith("_")}
    return found


def _class(cls: type) -> ast.ClassDef:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    return tree


def _said(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Each statement that a string stands under, with that string in one line."""
    for above, below in itertools.pairwise(body):
        value = below.value if isinstance(below, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield above, " ".join(value.value.split())
