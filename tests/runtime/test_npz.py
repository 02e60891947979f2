"""An archive's sizes are known before any of it is taken, and nothing in it is run."""

from __future__ import annotations

import io
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from wn_runtime import npz

TYPES = {"x": ("<f4",), "words": ("<U",)}
HEADER = "{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}"


def member(header: str, data: bytes = b"") -> bytes:
    """A .npy file."""
    text = (header + "\n").encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def archive(
    x: bytes, method: int = zipfile.ZIP_DEFLATED, change: Callable[[bytes], bytes] = lambda b: b
) -> bytes:
    """With a sound `words`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("x.npy", x, method)
        words = io.BytesIO()
        np.save(words, np.array("hello"))
        made.writestr("words.npy", words.getvalue())
    return change(out.getvalue())


def test_arrays_and_text_come_back() -> None:
    out = io.BytesIO()
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.savez_compressed(out, x=np.asfortranarray(x), words=np.array("höö \N{GRINNING FACE}"))
    found = npz.arrays(out.getvalue(), TYPES, 1000)
    np.testing.assert_array_equal(found["x"], x)
    assert npz.text(found["words"]) == "höö \N{GRINNING FACE}"
    assert not found["x"].flags.writeable


ZERO = member(HEADER.format("<f4", False, "()"), b"\0" * 4)
REFUSED: dict[str, tuple[bytes, str]] = {
    "a shape of 10^18": (archive(member(HEADER.format("<f4", False, f"({10**17},)"))), "as long"),
    "dimensions": (
        archive(member(HEADER.format("<f4", False, "(" + "9, " * 80 + ")"))),
        "no array",
    ),
    "negative": (archive(member(HEADER.format("<f4", False, "(-1,)"))), "is no array"),
    "objects": (archive(member(HEADER.format("|O", False, "()"), pickle.dumps(1))), "of type .O"),
    "code": (archive(member("__import__('os').system('false')")), "is no array"),
    "fields": (archive(member(HEADER.format("[('a', '<f4')]", False, "()"))), "is no array"),
    "big endian": (archive(member(HEADER.format(">f4", False, "()"), b"\0" * 4)), "of type >f4"),
    "long header": (archive(member(" " * 60000)), "is no array"),
    "nothing": (archive(b""), "is no array"),
    "too short": (archive(member(HEADER.format("<f4", False, "(2,)"), b"\0" * 4)), "not as long"),
    "too long": (archive(member(HEADER.format("<f4", False, "()"), b"\0" * 8)), "not as long"),
    "another type": (archive(member(HEADER.format("<i4", False, "()"), b"\0" * 4)), "of type <i4"),
    "another method": (archive(ZERO, zipfile.ZIP_LZMA), "unexpected"),
    "a comment": (archive(ZERO) + b"x", "no archive that NumPy wrote"),
    "a long list": (
        archive(ZERO, change=lambda data: data[:-10] + struct.pack("<L", 10**6) + data[-6:]),
        "no archive that NumPy wrote",
    ),
    "a list elsewhere": (
        archive(ZERO, change=lambda data: data[:-22] + b"PK\6\7" + b"\0" * 16 + data[-22:]),
        "no archive that NumPy wrote",
    ),
    "a changed number": (
        archive(ZERO, zipfile.ZIP_STORED, lambda b: b.replace(b"}\n\0\0", b"}\n\1\1", 1)),
        "damaged: Bad CRC-32",
    ),
}


@pytest.mark.parametrize("which", REFUSED)
def test_anything_else_is_a_value_error(which: str) -> None:
    data, fault = REFUSED[which]
    with pytest.raises(ValueError, match=fault):
        npz.arrays(data, TYPES, 1000)


def test_a_member_that_is_not_asked_for_or_is_there_twice_is_refused() -> None:
    for types, fault in (
        ({"words": ("<U",)}, "member 'x.npy' is unexpected"),
        ({**TYPES, "y": ("<f4",)}, "member 'y' is missing"),
    ):
        with pytest.raises(ValueError, match=fault):
            npz.arrays(archive(ZERO), types, 1000)
    twice = archive(ZERO).replace(b"words.npy", b"x.npy\0\0\0\0")
    with pytest.raises(ValueError, match=r"unexpected|damaged"):
        npz.arrays(twice, TYPES, 1000)


def test_a_bomb_is_refused_by_its_size_alone() -> None:
    size = 2**26
    data = archive(member(HEADER.format("<f4", False, f"({size // 4},)"), b"\0" * size))
    assert len(data) < 2**17
    tracemalloc.start()
    with pytest.raises(ValueError, match="over 1000000"):
        npz.arrays(data, TYPES, 10**6)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**21, "nothing was unpacked"


def test_text_that_is_none_is_a_value_error() -> None:
    for array in (np.array(["a", "b"]), np.array(1.0), np.array(0x110000, "<u4").view("<U1")):
        with pytest.raises(ValueError, match=r"text is|decode"):
            npz.text(array)
