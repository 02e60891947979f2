"""Frozen dataclasses from untrusted dictionaries: an unknown key or a wrong type is an error.

The one border for what others wrote (manifests, specs, checkpoints, configurations): behind it
integers have at most 64 bits, numbers are finite, strings are text and every value has its type.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from wn_runtime.arguments import shown
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.text import printable

T = TypeVar("T")
DEEPEST = 16
"""Levels of lists and tables in a field of any type."""
_LARGEST = 2**63 - 1

_UNIONS: dict[type, Mapping[str, type]] = {}


def tagged(base: type, variants: Mapping[str, type]) -> None:
    """Let a field of type `base` hold any of `variants`, told apart by their key `kind`.

    A variant is a dataclass whose class attribute `kind` is its key in `variants`. The mapping is
    read when something is parsed, so that what is added to it later is known too.
    """
    _UNIONS[base] = variants


def parse(cls: type[T], data: object, where: str) -> T:
    """Build the dataclass `cls` from `data`, a mapping as JSON or TOML gives it.

    Fields may be int, float, str, bool, tuple[X, ...], dict[str, X], X | None, dataclasses of
    these, tagged unions (`tagged`), and Any, which is whatever JSON can hold. `where` names the
    source in messages. Raises WavestepError for an unknown key, a missing field, a value of
    another type, a number beyond 64 bits or not finite, and text with half a surrogate pair;
    ValueErrors of `__post_init__` are passed on so.
    """
    if not isinstance(data, Mapping):
        raise WavestepError(f"{where}: expected a table of keys, got {shown(data)}")
    if cls in _UNIONS:
        cls, data = _variant(cls, data, where)
    assert dataclasses.is_dataclass(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for key, value in _table(data, where).items():
        if key not in fields:
            raise WavestepError(f"{where}: {unknown('key', key, fields, 'the keys are')}")
        values[key] = _convert(hints[key], value, f"{where}: {key}")
    for name, field in fields.items():
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if required and name not in values:
            raise WavestepError(f"{where}: key {name!r} is missing")
    try:
        return typing.cast(T, cls(**values))
    except ValueError as error:
        raise WavestepError(f"{where}: {error}") from error


def plain(value: Any) -> Any:
    """The inverse of `parse`: dataclasses to dictionaries and tuples to lists, ready for JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        variant: Any = value
        tag = {"kind": variant.kind} if isinstance(value, tuple(_UNIONS)) else {}
        fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {**tag, **fields}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def _variant(base: type[T], data: Mapping[str, Any], where: str) -> tuple[type[T], dict[str, Any]]:
    variants = _UNIONS[base]
    fields = dict(data)
    kind = fields.pop("kind", None)
    if kind is None:
        raise WavestepError(f"{where}: key 'kind' is missing; it is one of: {', '.join(variants)}")
    if not isinstance(kind, str):
        raise WavestepError(f"{where}: kind: expected str, got {shown(kind)}")
    if kind not in variants:
        raise WavestepError(f"{where}: {unknown('kind', kind, variants)}")
    return variants[kind], fields


def _convert(hint: Any, value: object, where: str) -> Any:
    origin = typing.get_origin(hint)
    if hint is Any:
        return _anything(value, where, DEEPEST)
    if origin in (typing.Union, types.UnionType):
        options = typing.get_args(hint)
        if value is None and type(None) in options:
            return None
        return _convert(next(o for o in options if o is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise WavestepError(f"{where}: expected a list, got {shown(value)}")
        item = typing.get_args(hint)[0]
        return tuple(_convert(item, v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is dict:
        item = typing.get_args(hint)[1]
        return {k: _convert(item, v, _at(where, k)) for k, v in _table(value, where).items()}
    if dataclasses.is_dataclass(hint) or hint in _UNIONS:
        return parse(typing.cast(type[Any], hint), value, where)
    return _scalar(hint, value, where)


def _scalar(hint: type, value: object, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(_scalar(int, value, where))
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise WavestepError(f"{where}: expected {hint.__name__}, got {shown(value)}")
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise WavestepError(f"{where}: {shown(value)} is too large; it must fit 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise WavestepError(f"{where}: {value} is no finite number")
    if isinstance(value, str):
        _check_text(value, where)
    return value


def _anything(value: object, where: str, depth: int) -> Any:
    """What JSON can hold."""
    if not depth:
        raise WavestepError(f"{where}: nested deeper than {DEEPEST} levels")
    if isinstance(value, Mapping):
        return {k: _anything(v, _at(where, k), depth - 1) for k, v in _table(value, where).items()}
    if isinstance(value, (list, tuple)):
        return [_anything(v, where, depth - 1) for v in value]
    if value is None:
        return None
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return _scalar(kind, value, where)
    raise WavestepError(f"{where}: {shown(value)} is nothing that JSON can hold")


def _at(where: str, key: str) -> str:
    """The place of a key of anybody's choosing."""
    return f"{where}.{printable(key[:60])}"


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise WavestepError(f"{where}: expected a table of keys, got {shown(value)}")
    for key in value:
        if not isinstance(key, str):
            raise WavestepError(f"{where}: key {shown(key)} is no string")
        _check_text(key, where)
    return value


def _check_text(text: str, where: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise WavestepError(
            f"{where}: {shown(text)} is no text: it holds half a surrogate pair"
        ) from error
