"""The ZIP archive that torch.save writes: a folder of stored members.

    voice/data.pkl      what is in the checkpoint, with a number for each tensor's storage
    voice/data/17       the bytes of storage 17
    voice/byteorder     little

Nothing is read before it is asked for, and nothing unpacked: a compressed member is refused.
"""

from __future__ import annotations

import os
import struct
import zipfile
from typing import BinaryIO

MOST_DIRECTORY = 4 * 2**20
"""Bytes of the archive's list of members: some 60,000 of them."""
MOST_PICKLE = 16 * 2**20
"""Bytes of data.pkl."""
_PICKLE = "data.pkl"
# The end of an archive, as torch.save and zipfile write it; the first two may be left out.
_END_64 = struct.Struct("<4sQ2H2L4Q")  # PK66: as _END, of an archive that may be over 4 GiB
_LOCATOR = struct.Struct("<4sLQL")  # PK67: where _END_64 is
_END = struct.Struct("<4s4H2LH")  # PK56: bytes and place of the list of members, no comment


class Damaged(ValueError):
    """It is not what torch.save wrote, or no longer; says why, in one line."""


class Archive:
    """An open archive. Raises Damaged, here and when members are read."""

    def __init__(self, file: BinaryIO) -> None:
        _check_directory(file)
        try:
            self._zip = zipfile.ZipFile(file)
            members = self._zip.infolist()
        except Exception as error:  # a library's parser, on whatever somebody made
            raise Damaged(_reason(error)) from error
        self._members = {member.filename: member for member in members}
        if len(self._members) != len(members):
            raise Damaged("it holds a member twice")
        pickles = [name for name in self._members if name.partition("/")[2] == _PICKLE]
        if len(pickles) != 1:
            raise Damaged(f"it has no {_PICKLE}")
        self._folder = pickles[0].removesuffix(_PICKLE)

    def pickle(self) -> bytes:
        """What describes the checkpoint."""
        if self.size(_PICKLE) > MOST_PICKLE:
            raise Damaged(f"its {_PICKLE} has {self.size(_PICKLE)} bytes, over {MOST_PICKLE}")
        return self.read(_PICKLE)

    def size(self, name: str) -> int:
        """Bytes of a member."""
        return self._member(name).file_size

    def read(self, name: str) -> bytes:
        """All of a member, compared with its CRC-32."""
        try:
            return self._zip.read(self._member(name))
        except Damaged:
            raise
        except Exception as error:  # see above
            raise Damaged(_reason(error)) from error

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return self._folder + name in self._members

    def _member(self, name: str) -> zipfile.ZipInfo:
        member = self._members.get(self._folder + name)
        if member is None:
            raise Damaged(f"it has no {name}")
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise Damaged(f"its {name} is compressed")
        return member


def _check_directory(file: BinaryIO) -> None:
    """Refuse a list of members that is too long to be read, before it is."""
    start = os.fstat(file.fileno()).st_size - _END.size - _LOCATOR.size - _END_64.size
    file.seek(max(0, start))
    tail = file.read()
    end = tail[-_END.size :]
    if len(end) < _END.size or not (end.startswith(b"PK\5\6") and end.endswith(b"\0\0")):
        raise Damaged("a plain pickle, truncated, or another file; it was not opened")
    listed = _END.unpack(end)[5]
    locator = tail[-_END.size - _LOCATOR.size : -_END.size]
    if locator.startswith(b"PK\6\7"):
        if not tail.startswith(b"PK\6\6") or _LOCATOR.unpack(locator)[2] != start:
            raise Damaged("its list of members is not where torch.save puts it")
        listed = _END_64.unpack(tail[: _END_64.size])[8]
    if listed > MOST_DIRECTORY:
        raise Damaged(f"its list of members has {listed} bytes, over {MOST_DIRECTORY}")


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:100]
