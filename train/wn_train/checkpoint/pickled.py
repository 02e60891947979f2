"""The pickle in a checkpoint, read as data: nothing that it names is imported or called.

torch.save describes a checkpoint by a pickle of few opcodes. Here they make dictionaries, lists,
tuples, text and numbers, and each tensor is a `StoredTensor` that says where its numbers are.
`torch.load(weights_only=True)` would do most of that, but it calls functions that the file names,
from a list of torch's, and up to torch 2.9 ran code and read past the end of storages that were
made for it (CVE-2025-32434, CVE-2026-24747).
"""

from __future__ import annotations

import itertools
import math
import pickletools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from wn_train.checkpoint.archive import Damaged

MOST_OPCODES = 2**21
DEEPEST = 32
"""Levels of dictionaries, lists and tuples."""
FREE_LETTERS = 64
"""A text counts as one value for each so many letters of it."""
MOST_AXES = 8
_LARGEST = 2**63 - 1
STORAGES: dict[str, np.dtype[Any]] = {
    "torch FloatStorage": np.dtype("f4"),
    "torch LongStorage": np.dtype("i8"),
    "torch IntStorage": np.dtype("i4"),
    "torch ShortStorage": np.dtype("i2"),
    "torch ByteStorage": np.dtype("u1"),
}
"""How torch names what numbers a storage holds: those that a checkpoint has."""
_TENSOR = "torch._utils _rebuild_tensor_v2"
_ORDERED = "collections OrderedDict"


@dataclass(frozen=True)
class Storage:
    """A run of numbers in a member of the archive."""

    member: str
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that has not been read: all of its storage, row by row."""

    storage: Storage
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Name:
    """What a pickle would import: a module and a name in it."""

    name: str


def parse(data: bytes) -> Any:
    """What the pickle holds: a tree, no part of it in two places. Raises Damaged."""
    return _tree(Machine().run(opcodes(data)), DEEPEST, iter(range(min(len(data), MOST_OPCODES))))


class Machine:
    """Pickle's stack machine, with the opcodes that torch.save uses and no others.

    What a name, a call and a storage stand for a subclass may say otherwise.
    """

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self, opcodes: Iterable[tuple[str, Any]]) -> Any:
        """What is on top of the stack at the end. Raises Damaged."""
        try:
            for number, (opcode, argument) in enumerate(opcodes):
                if number == MOST_OPCODES:
                    raise Damaged(f"its pickle has over {MOST_OPCODES} opcodes")
                self._do(opcode, argument)
            return self._stack.pop()
        except IndexError:
            raise Damaged("its pickle takes what it has not put") from None

    def _do(self, opcode: str, argument: Any) -> None:
        stack = self._stack
        match opcode:
            case "PROTO" | "STOP":
                pass
            case "MARK":
                self._marks.append(len(stack))
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(opcode == "NEWTRUE")
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT" | "BINUNICODE":
                stack.append(argument)
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(self._last(int(opcode[-1]))))
            case "TUPLE":
                stack.append(tuple(self._marked()))
            case "APPEND" | "APPENDS":
                items = self._last(1) if opcode == "APPEND" else self._marked()
                of_type(stack[-1], list).extend(items)
            case "SETITEM" | "SETITEMS":
                items = self._last(2) if opcode == "SETITEM" else self._marked()
                set_items(of_type(stack[-1], dict), items)
            case "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                if argument not in self._memo:
                    raise Damaged("its pickle names what it has not kept")
                stack.append(self._memo[argument])
            case "GLOBAL":
                stack.append(self._named(argument))
            case "BINPERSID":
                stack.append(self._stored(stack.pop()))
            case "REDUCE":
                name, arguments = self._last(2)
                stack.append(self._made(of_type(name, Name), of_type(arguments, tuple)))
            case "BUILD":
                built = stack.pop()
                self._built(stack[-1], built)
            case _:
                self._more(opcode, argument)

    def _named(self, name: str) -> Any:
        """What a pickle would import."""
        return Name(name)

    def _stored(self, given: Any) -> Any:
        """What a persistent id stands for."""
        return _storage(given)

    def _made(self, function: Name, arguments: tuple[Any, ...]) -> Any:
        """What a pickle would call."""
        return _made(function, arguments)

    def _built(self, target: Any, _state: Any) -> None:
        """What it would set on an object: torch notes of a state_dict its `_metadata`."""
        of_type(target, dict)

    def _more(self, opcode: str, _argument: Any) -> None:
        """An opcode that is none of torch.save's."""
        raise Damaged(f"its pickle has the opcode {opcode}")

    def _last(self, count: int) -> list[Any]:
        if count > len(self._stack):
            raise IndexError
        items = self._stack[-count:]
        del self._stack[-count:]
        return items

    def _marked(self) -> list[Any]:
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items


def opcodes(data: bytes | Any) -> Iterator[tuple[str, Any]]:
    """Those of a pickle, bytes or a file's next, up to its end. Raises Damaged if it breaks off."""
    try:
        for opcode, argument, _ in pickletools.genops(data):
            yield opcode.name, argument
    except Damaged:
        raise
    except Exception as error:  # a library's parser, on whatever somebody made
        raise Damaged(f"its pickle breaks off ({str(error)[:60]})") from error


def _made(function: Name, arguments: tuple[Any, ...]) -> Any:
    """What torch.save writes as a call."""
    match function.name, arguments:
        case (str(name), ()) if name == _ORDERED:
            return {}
        case (str(name), (Storage() as storage, int(offset), tuple(shape), tuple(stride), *_)) if (
            name == _TENSOR
        ):
            return _tensor(storage, offset, shape, stride)
        case _:
            foreign(function)


def _tensor(
    storage: Storage, offset: int, shape: tuple[Any, ...], stride: tuple[Any, ...]
) -> StoredTensor:
    if len(shape) > MOST_AXES or not all(type(n) is int and 1 <= n <= _LARGEST for n in shape):
        raise Damaged("a tensor has a shape that is none")
    rows = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    steps = [r if n == 1 else s for n, s, r in zip(shape, stride, rows, strict=False)]
    if offset != 0 or len(stride) != len(shape) or tuple(steps) != rows:
        raise Damaged("a tensor does not lie row by row in a storage of its own")
    return StoredTensor(storage, shape)


def _storage(given: Any) -> Storage:
    match given:
        case ("storage", Name() as kind, str(key), str(), int()):
            dtype = STORAGES.get(kind.name)
            if dtype is None:
                foreign(kind)
            if not key.isalnum() or not key.isascii():
                raise Damaged(f"it has a storage called {key!r:.60}")
            return Storage(f"data/{key}", dtype)
    raise Damaged("it has a storage that torch.save does not write")


def set_items(target: dict[Any, Any], items: list[Any]) -> None:
    """Put keys and values, which alternate, into a dictionary."""
    for key, value in zip(items[::2], items[1::2], strict=False):
        if type(key) not in (str, int):
            raise Damaged("a key is neither text nor a number")
        target[key] = value


def of_type(value: Any, kind: type) -> Any:
    """The value, which has to be of this very type."""
    if type(value) is not kind:
        if isinstance(value, Name):
            foreign(value)
        raise Damaged("its pickle is none that torch.save writes")
    return value


def foreign(name: Name) -> NoReturn:
    """Refuse it."""
    raise Damaged(f"it asks for {name.name!r:.60}, which no checkpoint has")


def _tree(value: Any, depth: int, budget: Iterator[int]) -> Any:
    """A copy in which nothing is shared, no larger than its pickle.

    Lists of the same list, which hold the same list again, would grow without end, and so would
    what is read of a long text that stands in them again and again.
    """
    text = len(value) // FREE_LETTERS if isinstance(value, str) else 0
    if next(itertools.islice(budget, text, None), None) is None:
        raise Damaged("its pickle unfolds to more than it has bytes")
    if not depth:
        raise Damaged(f"its pickle is nested deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        return {
            _tree(key, depth, budget): _tree(item, depth - 1, budget) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return type(value)(_tree(item, depth - 1, budget) for item in value)
    if isinstance(value, (Name, Storage)):
        raise Damaged("its pickle is none that torch.save writes")
    return value
