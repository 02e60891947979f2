"""Checkpoints: what is in the dictionary, saved again as wn-train does, and the zip around it."""

from __future__ import annotations

import io
import os
import pickle
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


class _Hostile:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ('touch "$WN_FUZZ_MARKER"',))


def _cyclic(kind: Callable[[], Any]) -> Any:
    made = kind()
    if isinstance(made, dict):
        made["self"] = made
    else:
        made.append(made)
    return made


def _deep(levels: int = 2000) -> Any:
    made: Any = 0
    for _ in range(levels):
        made = [made]
    return made


def _tensor(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A change of tensors; another value becomes what is made of a small one."""
    return lambda old: change(old if isinstance(old, torch.Tensor) else torch.ones(3, 2))


VALUES: dict[str, Callable[[Any], Any]] = {
    "none": lambda old: None,
    "true": lambda old: True,
    "minus": lambda old: -1,
    "zero": lambda old: 0,
    "one": lambda old: 1,
    "half": lambda old: 0.5,
    "nan": lambda old: float("nan"),
    "inf": lambda old: float("inf"),
    "2^63": lambda old: 2**63,
    "10^5000": lambda old: 10**5000,
    "complex": lambda old: 1 + 2j,
    "text": lambda old: "x",
    "no text": lambda old: "",
    "escape": lambda old: "\x1b[31mred\n",
    "outside": lambda old: "../victim/notes",
    "absolute": lambda old: "/dev/null",
    "surrogate": lambda old: "\ud800",
    "nul": lambda old: "a\0b",
    "long": lambda old: "a" * 300_000,
    "bytes": lambda old: b"x",
    "list": lambda old: [],
    "table": lambda old: {},
    "numbered table": lambda old: {1: 2, None: 3},
    "tuple": lambda old: (old,),
    "in a list": lambda old: [old],
    "twice": lambda old: [old, old],
    "set": lambda old: {1},
    "cyclic list": lambda old: _cyclic(list),
    "cyclic table": lambda old: _cyclic(dict),
    "deep": lambda old: _deep(),
    "tensor": lambda old: torch.ones(3),
    "scalar tensor": lambda old: torch.tensor(1.0),
    "size": lambda old: torch.Size([1, 2]),
    "dtype": lambda old: torch.float32,
    "device": lambda old: torch.device("cuda:7"),
    "nans": _tensor(lambda t: torch.full(t.shape, float("nan"))),
    "infs": _tensor(lambda t: torch.full(t.shape, float("inf"))),
    "largest": _tensor(lambda t: torch.full(t.shape, 3e38)),
    "double": _tensor(lambda t: t.double()),
    "float16": _tensor(lambda t: t.half()),
    "bfloat16": _tensor(lambda t: t.bfloat16()),
    "int64": _tensor(lambda t: t.long()),
    "int8": _tensor(lambda t: t.to(torch.int8)),
    "bool": _tensor(lambda t: t.bool()),
    "complex tensor": _tensor(lambda t: t.to(torch.complex64)),
    "sparse": _tensor(lambda t: t.float().to_sparse()),
    "quantized": _tensor(lambda t: torch.quantize_per_tensor(t.float(), 0.1, 0, torch.qint8)),
    "meta": _tensor(lambda t: t.to("meta")),
    "grad": _tensor(lambda t: t.float().clone().requires_grad_()),
    "parameter": _tensor(lambda t: torch.nn.Parameter(t.float())),
    "transposed": _tensor(lambda t: t.T if t.dim() == 2 else t.flip(0)),
    "flat": _tensor(lambda t: t.reshape(-1)),
    "one more": _tensor(lambda t: torch.cat([t, t[:1]]) if t.dim() else t),
    "one less": _tensor(lambda t: t[:-1] if t.dim() else t),
    "no elements": _tensor(lambda t: t[:0] if t.dim() else t),
    "expanded": _tensor(lambda t: torch.zeros(1, dtype=t.dtype).expand(2**33)),
    "expanded shape": _tensor(lambda t: torch.zeros(1).expand(2**17, *t.shape)),
    "strided": _tensor(lambda t: torch.as_strided(torch.zeros(8), (4, 4), (1, 1))),
    "negative": _tensor(lambda t: -t.long() - 1),
    "huge classes": _tensor(lambda t: torch.full(t.shape, 2**40)),
    "drop": lambda old: old,
}
"""What comes in place of an old value, by name; `drop` takes it away."""


def put(path: Path, pointer: list[str | int], value: str) -> None:
    """Another value at a place of the dictionary."""
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise OSError(f"{path} was changed by an edit before") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch no longer likes all that it can still write
        _save(_changed(data, pointer, value), path)


def _changed(data: Any, pointer: list[str | int], value: str) -> Any:
    if not pointer:
        return VALUES[value](data)
    parent = data
    for key in pointer[:-1]:
        parent = parent[key]
    if value == "drop":
        del parent[pointer[-1]]
    else:
        parent[pointer[-1]] = VALUES[value](parent[pointer[-1]])
    return data


def _save(data: Any, path: Path) -> None:
    """As torch.save, also where it is nested deeply: reading a pickle is no recursion."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        torch.save(data, path)
    finally:
        sys.setrecursionlimit(limit)


def code(path: Path, how: str) -> None:
    """A pickle that runs a command, in each of the forms that torch.load knows."""
    if how == "plain":
        path.write_bytes(pickle.dumps(_Hostile()))
    elif how == "legacy":
        torch.save({"format": 2, "spec": _Hostile()}, path, _use_new_zipfile_serialization=False)
    else:
        torch.save({"format": 2, "spec": _Hostile()}, path)


def archive(path: Path, how: str) -> None:
    """The same members in another zip."""
    try:
        with zipfile.ZipFile(path) as source:
            members = {name: source.read(name) for name in source.namelist()}
    except (zipfile.BadZipFile, OSError) as error:
        raise OSError(f"{path} was changed by an edit before") from error
    pickled = next(name for name in members if name.endswith("data.pkl"))
    storage = next(name for name in members if name.endswith("/0"))
    method = zipfile.ZIP_DEFLATED if how in ("compressed", "bomb") else zipfile.ZIP_STORED
    if how in _ARCHIVES:
        _ARCHIVES[how](members, pickled, storage)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method, compresslevel=1) as target:
        for name, content in members.items():
            target.writestr(name, content)
    path.write_bytes((b"#!/bin/sh\n" if how == "prefix" else b"") + made.getvalue())


def _drop(members: dict[str, bytes], name: str) -> None:
    del members[name]


def _cut(members: dict[str, bytes], name: str, at: int) -> None:
    members[name] = members[name][:at]


def _set(members: dict[str, bytes], name: str, content: bytes) -> None:
    members[name] = content


_ARCHIVES: dict[str, Callable[[dict[str, bytes], str, str], None]] = {
    "no pickle": lambda members, pickled, _: _drop(members, pickled),
    "no storage": lambda members, _, storage: _drop(members, storage),
    "short storage": lambda members, _, storage: _cut(members, storage, 4),
    "empty storage": lambda members, _, storage: _cut(members, storage, 0),
    "short pickle": lambda members, pickled, _: _cut(members, pickled, 100),
    "empty pickle": lambda members, pickled, _: _cut(members, pickled, 0),
    "other pickle": lambda members, pickled, _: _set(members, pickled, pickle.dumps([1])),
    "code": lambda members, pickled, _: _set(members, pickled, pickle.dumps(_Hostile())),
    "torn pickle": lambda members, pickled, _: _set(members, pickled, members[pickled][::-1]),
    "flipped pickle": lambda members, pickled, _: _set(
        members, pickled, bytes(b ^ (i % 97 == 50) for i, b in enumerate(members[pickled]))
    ),
    "bomb": lambda members, _, storage: _set(members, storage, bytes(1500 << 20)),
    "outside": lambda members, _, storage: _set(members, "../../victim/notes", b"mine"),
    "script": lambda members, pickled, _: _set(
        members, pickled.replace("data.pkl", "code/__torch__.py"), b"import os"
    ),
    "constants": lambda members, pickled, _: _set(
        members, pickled.replace("data.pkl", "constants.pkl"), pickle.dumps(_Hostile())
    ),
    "big-endian": lambda members, pickled, _: _set(
        members, pickled.replace("data.pkl", "byteorder"), b"big"
    ),
    "no order": lambda members, pickled, _: _set(
        members, pickled.replace("data.pkl", "byteorder"), b"x"
    ),
}
ARCHIVES = ("compressed", "prefix", *_ARCHIVES)


def pointers(path: Path) -> list[list[str | int]]:
    """Every place in a good checkpoint, outer ones first."""
    data = torch.load(path, map_location="cpu", weights_only=True)
    return _pointers(data, ())


def _pointers(value: Any, start: tuple[Any, ...]) -> list[list[str | int]]:
    found: list[list[str | int]] = [list(start)]
    items: Any = ()
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        found += _pointers(inner, (*start, key))
    return found
