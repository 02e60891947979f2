"""Pickles that other projects wrote with torch.save, read as data: nothing is imported or run.

Beside what our own checkpoints have, there are whole modules, whose classes become `Inert`; tensors
that share a storage, or lie in it otherwise than row by row; and the older opcodes and formats.
Every name that is none of those expected ends it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wn_train.checkpoint.archive import Damaged
from wn_train.checkpoint.pickled import MOST_AXES, Machine, Name, of_type, set_items

_LARGEST = 2**63 - 1
_KINDS = {
    "Float": "f4",
    "Double": "f8",
    "Half": "f2",
    "BFloat16": "u2",  # read as bits
    "Long": "i8",
    "Int": "i4",
    "Short": "i2",
    "Char": "i1",
    "Byte": "u1",
    "Bool": "u1",
}
STORAGES = {
    f"{module} {kind}Storage": (kind, np.dtype(code).newbyteorder("<"))
    for module in ("torch", "torch.cuda")
    for kind, code in _KINDS.items()
}
_TENSORS = ("torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2")
_PARAMETER = "torch._utils _rebuild_parameter"
_ORDERED = "collections OrderedDict"
_SETS = ("builtins set", "__builtin__ set")
_KNOWN = {*STORAGES, *_TENSORS, _PARAMETER, _ORDERED, *_SETS, "torch Size"}
_INERT = ("wavenet.", "torch.nn.")
"""Modules whose classes may stand in a pickle: of nv-wavenet and PyTorch's own layers."""
_NUMBERS = {
    *("numpy.core.multiarray scalar", "numpy._core.multiarray scalar", "numpy dtype"),
    "_codecs encode",
}
"""A NumPy number, as optimisers keep a learning rate: nobody reads it."""


@dataclass(frozen=True)
class ForeignStorage:
    """A run of numbers in the file."""

    key: str
    kind: str
    """`Float`, `Half`, …"""
    dtype: np.dtype[Any]
    size: int
    """Numbers."""


@dataclass(frozen=True)
class ForeignTensor:
    """A tensor that has not been read: numbers of a storage, every so many."""

    storage: ForeignStorage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """In numbers."""


@dataclass
class Inert:
    """An object of a class that is not here, with what the pickle would have set on it."""

    name: str
    """Module and class."""
    state: dict[str, Any] = field(default_factory=dict)


class ForeignMachine(Machine):
    """What names, calls and objects of other projects' files stand for."""

    def _named(self, name: str) -> Any:
        module = name.split(" ")[0] + "."
        if name not in _KNOWN and name not in _NUMBERS and not module.startswith(_INERT):
            raise Damaged(f"it names {name!r:.80}, which no model needs")
        return Name(name)

    def _stored(self, given: Any) -> Any:
        match given:
            case ("storage", Name() as kind, str(key), str(), int(size), *_) if (
                kind.name in STORAGES and key.isascii() and key.isalnum() and 0 <= size <= _LARGEST
            ):
                return ForeignStorage(key, *STORAGES[kind.name], size)
            case ("module", Name() as module, *_):  # with its source, in older files
                return module
        raise Damaged("it has a storage that torch.save does not write")

    def _made(self, function: Name, arguments: tuple[Any, ...]) -> Any:
        name = function.name
        if name == _ORDERED:
            return _ordered(arguments)
        if name in _TENSORS:
            return _tensor(arguments)
        if name == _PARAMETER and arguments and isinstance(arguments[0], ForeignTensor):
            return arguments[0]
        if name in _SETS or name == "torch Size":
            return of_type(arguments[0], list if name in _SETS else tuple) if arguments else []
        if name in STORAGES or name in (_PARAMETER, *_TENSORS):
            raise Damaged("its pickle is none that torch.save writes")
        return Inert(name)

    def _built(self, target: Any, state: Any) -> None:
        if isinstance(target, Inert):
            if isinstance(state, dict):
                target.state.update(state)
            return
        of_type(target, dict)

    def _more(self, opcode: str, argument: Any) -> None:
        stack = self._stack
        match opcode:
            case "FRAME":
                pass
            case "SHORT_BINUNICODE" | "SHORT_BINSTRING" | "BINSTRING" | "LONG4":
                stack.append(argument)
            case "BINBYTES" | "SHORT_BINBYTES" | "BINUNICODE8":
                stack.append(argument)
            case "EMPTY_SET":
                stack.append([])
            case "ADDITEMS":
                items = self._marked()
                of_type(stack[-1], list).extend(items)
            case "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            case "STACK_GLOBAL":
                module, name = self._last(2)
                stack.append(self._named(f"{of_type(module, str)} {of_type(name, str)}"))
            case "NEWOBJ":
                made, arguments = self._last(2)
                stack.append(self._made(of_type(made, Name), of_type(arguments, tuple)))
            case _:
                super()._more(opcode, argument)


def _ordered(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    for pairs in arguments:
        for pair in of_type(pairs, list):
            if not isinstance(pair, (list, tuple)) or len(pair) != 2:
                raise Damaged("its pickle is none that torch.save writes")
            set_items(made, list(pair))
    return made


def _tensor(arguments: tuple[Any, ...]) -> ForeignTensor:
    match arguments:
        case (ForeignStorage() as storage, int(offset), tuple(shape), tuple(strides), *_):
            pass
        case _:
            raise Damaged("its pickle is none that torch.save writes")
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or len(shape) > MOST_AXES:
        raise Damaged("a tensor has a shape that is none")
    if not all(type(n) is int and 0 <= n <= _LARGEST for n in numbers):
        raise Damaged("a tensor has a shape that is none")
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    if math.prod(shape) > storage.size or (math.prod(shape) and last >= storage.size):
        raise Damaged("a tensor lies beyond its storage")
    return ForeignTensor(storage, offset, shape, strides)
