"""The pickle of a checkpoint is data: nothing that it names is called, or grows without end."""

from __future__ import annotations

import builtins
import collections
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.train.checkpoint.made import with_pickle, written
from wn_runtime.errors import WavestepError
from wn_train import checkpoint
from wn_train.checkpoint import pickled
from wn_train.checkpoint.archive import Damaged
from wn_train.checkpoint.pickled import StoredTensor, parse


class Call:
    """Its pickle calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._reduced = (function, arguments)

    def __reduce__(self) -> Any:
        return self._reduced


def tensor(shape: str = "(I3\nt", stride: str = "(I1\nt", offset: str = "K\x00") -> bytes:
    """The opcodes of a tensor of storage 0; shape and stride as opcodes, too."""
    text = (
        "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
        f"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x03tQ{offset}{shape}{stride}\x89"
        "ccollections\nOrderedDict\n)RtR."
    )
    return text.replace("I3\n", "K\x03").replace("I1\n", "K\x01").encode("latin-1")


def test_plain_values_are_what_pickle_makes_of_them() -> None:
    value: dict[str, Any] = {
        "a": [1, -1, 2**40, -(2**62), True, False, None, 2.5, "é\U0001f600", ""],
        "b": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, [], {"c": {7: [[]]}}),
        "long": list(range(2000)),
    }
    assert parse(pickle.dumps(value, 2)) == value
    assert parse(pickle.dumps(collections.OrderedDict(value), 2)) == value


def test_a_tensor_is_where_its_numbers_are() -> None:
    found = parse(tensor())
    assert isinstance(found, StoredTensor)
    assert (found.shape, found.storage.member, found.storage.dtype) == (
        (3,),
        "data/0",
        np.dtype("f4"),
    )


@pytest.mark.parametrize(
    ("opcodes", "message"),
    [
        (tensor(stride="(K\x00t"), "row by row"),
        (tensor("(J\0\0\0\x7ft", "(K\x00t"), "row by row"),  # 2^31 - 1 times the first number
        (tensor("(J\xff\xff\xff\xfft"), "a shape that is none"),
        (tensor("(K\x00t"), "a shape that is none"),
        (tensor("(\x88t"), "a shape that is none"),
        (tensor("(K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01t"), "a shape that is none"),
        (tensor(offset="K\x01"), "row by row"),
        (tensor(offset="J\xff\xff\xff\xff"), "row by row"),
        (tensor(stride="(t"), "row by row"),
        (tensor().replace(b"FloatStorage", b"QInt8Storage"), "torch QInt8Storage"),
        (tensor().replace(b"X\1\0\0\x000", b"X\2\0\0\0.."), "a storage called"),
        (tensor().replace(b"X\1\0\0\x000", b"X\4\0\0\0../a"), "a storage called"),
        (tensor().replace(b"_rebuild_tensor_v2", b"_rebuild_sparse_tensor"), "_rebuild_sparse"),
        (tensor().replace(b"OrderedDict", b"defaultdict"), "collections defaultdict"),
    ],
)
def test_a_tensor_that_is_not_all_of_its_storage_is_refused(opcodes: bytes, message: str) -> None:
    with pytest.raises(Damaged, match=message):
        parse(opcodes)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "function", [os.system, builtins.eval, bytearray, torch.Tensor, collections.Counter, print]
)
def test_no_function_is_called(function: Any, protocol: int) -> None:
    with pytest.raises(Damaged):
        parse(pickle.dumps({"spec": Call(function, "touch /tmp/never")}, protocol))


def test_nothing_is_imported() -> None:
    assert "this" not in sys.modules
    for opcodes in (
        b"\x80\x02cthis\ns\n.",
        b"\x80\x02cthis\ns\n)R.",
        b"(ithis\ns\n.",
        b"\x82\x01.",
    ):
        with pytest.raises(Damaged):
            parse(opcodes)
    assert "this" not in sys.modules


def circle() -> list[Any]:
    inner: list[Any] = []
    inner.append({"again": inner})
    return inner


def doubled(times: int) -> Any:
    value: Any = ["ha"]
    for _ in range(times):
        value = (value, value)
    return value


def repeated(letters: int, times: int, key: bool = False) -> Any:
    text = "x" * letters
    return [{text: 1}] * times if key else [text] * times


@pytest.mark.parametrize("key", [False, True])
def test_a_text_may_stand_in_many_places_but_not_be_long_in_all(key: bool) -> None:
    for letters, times in ((40, 10_000), (100_000, 60)):
        value = repeated(letters, times, key)
        if not key:
            assert parse(pickle.dumps(value, 2)) == value
    with pytest.raises(Damaged, match="unfolds to more than it has bytes"):
        parse(pickle.dumps(repeated(100_000, 1000, key), 2))


@pytest.mark.parametrize(
    "opcodes",
    [
        b"",
        b".",
        b"garbage",
        b"\x80\x02",
        b"\x80\x02t.",
        b"\x80\x02a.",
        b"\x80\x02K\x01K\x02a.",
        b"\x80\x02]K\x01K\x02s.",
        b"\x80\x02}]K\x02s.",
        b"\x80\x02h\x07.",
        b"\x80\x02r\xff\xff\xff\xff.",
        b"\x80\x02K\x01Q.",
        b"\x80\x02K\x01}b.",
        b"\x80\x02X\xff\xff\xff\x7fabc.",
        b"\x80\x02\x8a\xff" + b"\xff" * 254 + b".",
        b"\x80\x04\x8e" + b"\xff" * 8 + b".",
        b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
        b"\x80\x02" + b"N" * (pickled.MOST_OPCODES + 1) + b".",
        pickle.dumps(circle(), 2),
        pickle.dumps(doubled(60), 2),
    ],
    ids=range(20),
)
def test_a_pickle_that_torch_does_not_write_is_refused(opcodes: bytes) -> None:
    with pytest.raises(Damaged):
        parse(opcodes)


def test_what_a_checkpoint_asks_for_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "voice.pt")
    with_pickle(path, pickle.dumps({"format": 2, "name": Call(os.system, "true")}, 2))
    with pytest.raises(WavestepError, match=r"asks for 'posix system'.*no code in it was run"):
        checkpoint.load(path)
