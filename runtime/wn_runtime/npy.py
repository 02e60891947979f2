"""The head of a .npy file that somebody else may have written, read without evaluating any of it.

NumPy writes a line of text, a Python dictionary of type and shape, before the bare numbers, and
reads it back by parsing Python; here it has to be letter for letter what NumPy writes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import IO, Literal

_MAGIC = b"\x93NUMPY\x01\x00"
_MOST_HEADER = 256
_HEADER = re.compile(
    rb"\{'descr': '([<>|][a-zA-Z]\d{1,9}|\|O)', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,18}, ?)*(?:\d{1,18})?)\), \} *\n"
)


@dataclass(frozen=True)
class Header:
    """What a file says of its numbers."""

    dtype: str
    """As NumPy writes it: `<f4`; `<U9` is text of nine characters, `|O` Python objects."""
    shape: tuple[int, ...]
    order: Literal["C", "F"]
    offset: int
    """Bytes before the numbers."""

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers; of `|O` a ValueError, as it has none."""
        each = int(self.dtype[2:]) * (4 if self.dtype[1] == "U" else 1)
        return math.prod(self.shape) * each


def header(file: IO[bytes]) -> Header | None:
    """The head of a file, which is read up to its numbers; None where it is no array's."""
    start = file.read(len(_MAGIC) + 2)
    length = int.from_bytes(start[len(_MAGIC) :], "little")
    if not start.startswith(_MAGIC) or length > _MOST_HEADER:
        return None
    found = _HEADER.fullmatch(file.read(length))
    if found is None:
        return None
    kind, fortran, shape = (part.decode() for part in found.groups())
    dimensions = tuple(int(part) for part in shape.split(",") if part.strip())
    return Header(kind, dimensions, "F" if fortran == "True" else "C", len(start) + length)
