"""What a dataclass says of its fields: type, default, and the docstring under each."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


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


def _docstrings(cls: type) -> dict[str, str]:
    """Field to the string that stands under it."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for above, below in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(above, ast.AnnAssign)
            and isinstance(above.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found[above.target.id] = " ".join(below.value.value.split())
    return found
