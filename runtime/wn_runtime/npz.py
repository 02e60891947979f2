"""A NumPy archive that somebody else may have written: every size is known before it is taken.

An .npz is a zip of .npy files, each a line of text (type, shape) and the bare numbers. Here nothing
is unpickled or evaluated, and nothing is decompressed before the whole archive's sizes have been
added up: a bomb of zeros, a shape of 10^18 and a list of a million members are each a ValueError.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime import npy

_END = struct.Struct("<4s4H2LH")
"""The last bytes of a zip without a comment: signature, …, size and place of its list, 0."""
_ZIP64 = b"PK\x06\x07"
_MOST_LIST = 1 << 14
"""Bytes of the list of members."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,  # encrypted
    LookupError,
    OverflowError,
)
"""What reading a damaged zip ends in, beside ValueError."""


@dataclass(frozen=True)
class _Member:
    info: zipfile.ZipInfo
    header: npy.Header


def names(data: bytes, most_list: int = _MOST_LIST) -> list[str]:
    """Those of an archive's arrays. Raises ValueError for what is none."""
    _check_end(data, most_list)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except _FAULTS as error:
        raise ValueError(f"it is damaged: {error}") from error


def arrays(
    data: bytes,
    types: Mapping[str, tuple[str, ...]],
    most: int,
    optional: Collection[str] = (),
    most_list: int = _MOST_LIST,
) -> dict[str, NDArray[Any]]:
    """The arrays of an archive by name; none may be written to.

    types: the members that it must have, but for those that are optional, and of which types
    (`<f4`; `<U` is text of any length). most: bytes of all of them together. Raises ValueError for
    anything else.
    """
    _check_end(data, most_list)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members: dict[str, _Member] = {}
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy")
                if name not in types or name in members or info.compress_type not in _METHODS:
                    raise ValueError(f"member {info.filename!r} is unexpected")
                with archive.open(info) as file:
                    members[name] = _described(info, file, types[name])
            if missing := types.keys() - members.keys() - set(optional):
                raise ValueError(f"member {min(missing)!r} is missing")
            total = sum(member.header.nbytes for member in members.values())
            if total > most:
                raise ValueError(f"it holds {total} bytes, over {most}")
            return {name: _read(archive, member) for name, member in members.items()}
    except _FAULTS as error:
        raise ValueError(f"it is damaged: {error}") from error


def _check_end(data: bytes, most_list: int) -> None:
    end = _END.unpack(data[-_END.size :]) if len(data) >= _END.size else (b"",)
    if end[0] != b"PK\x05\x06" or end[-1] or data[-42:-38] == _ZIP64 or end[5] > most_list:
        raise ValueError("it is no archive that NumPy wrote, or not all of one")


def text(array: NDArray[Any]) -> str:
    """The text of an array of one string. Raises ValueError for another, and for half a pair."""
    if array.shape != () or array.dtype.kind != "U":
        raise ValueError(f"text is {array.dtype} {array.shape}")
    return array.tobytes().decode("utf-32-le").rstrip("\0")


def split(
    arrays: Mapping[str, NDArray[Any]], name: str, lengths: str, count: int
) -> list[NDArray[Any]]:
    """The `count` pieces that an array was joined of; the array `lengths` has the rows of each.

    Raises ValueError unless each has a row at least, and all together are the array.
    """
    array, each = arrays[name], arrays[lengths]
    if each.shape != (count,):
        raise ValueError(f"{lengths} is {each.shape}; there are {count} clips")
    rows = [int(length) for length in each]
    if not array.ndim or min(rows) < 1 or sum(rows) != len(array):
        raise ValueError(f"{lengths} adds up to {sum(rows)}; {name} is {array.shape}")
    return np.split(array, np.cumsum(rows)[:-1])


def _described(info: zipfile.ZipInfo, file: IO[bytes], types: tuple[str, ...]) -> _Member:
    """A member by its first bytes."""
    found = npy.header(file)
    if found is None:
        raise ValueError(f"member {info.filename!r} is no array")
    kind = found.dtype
    if kind not in types and not (kind.startswith("<U") and "<U" in types):
        raise ValueError(f"member {info.filename!r} is of type {kind}, not {' or '.join(types)}")
    if info.file_size != found.offset + found.nbytes:
        raise ValueError(f"member {info.filename!r} is not as long as its shape says")
    return _Member(info, found)


def _read(archive: zipfile.ZipFile, member: _Member) -> NDArray[Any]:
    found = member.header
    with archive.open(member.info) as file:
        file.read(found.offset)
        data = file.read(found.nbytes)
        if len(data) != found.nbytes or file.read(1):  # at its end the checksum is compared
            raise ValueError(f"member {member.info.filename!r} is not as long as it says")
    return np.frombuffer(data, found.dtype).reshape(found.shape, order=found.order)
