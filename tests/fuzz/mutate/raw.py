"""Bytes of any file, changed without knowing what they mean.

Places are fractions of the file, so that an edit stays the same edit where a file has grown.
"""

from __future__ import annotations

from pathlib import Path

_LARGE = 64 << 20


def flip(path: Path, at: float, mask: int) -> None:
    """Flip bits of one byte."""
    data = _read(path)
    if data:
        data[_place(data, at)] ^= mask
    path.write_bytes(data)


def poke(path: Path, offset: int, value: str) -> None:
    """Bytes (hex) over those at a fixed offset, as headers have them."""
    data = _read(path)
    new = bytes.fromhex(value)
    data[offset : offset + len(new)] = new
    path.write_bytes(data)


def truncate(path: Path, at: float) -> None:
    """Cut the rest off."""
    data = _read(path)
    path.write_bytes(data[: int(at * len(data))])


def zero(path: Path, at: float, length: int) -> None:
    """Zeros over a range."""
    data = _read(path)
    start = _place(data, at)
    end = min(len(data), start + length)
    data[start:end] = bytes(end - start)
    path.write_bytes(data)


def insert(path: Path, at: float, value: str) -> None:
    """Bytes (hex) between."""
    data = _read(path)
    start = _place(data, at)
    data[start:start] = bytes.fromhex(value)
    path.write_bytes(data)


def double(path: Path, at: float, length: int) -> None:
    """A range twice."""
    data = _read(path)
    start = _place(data, at)
    data[start:start] = data[start : start + length]
    path.write_bytes(data)


def splice(path: Path, at: float, source: float, length: int) -> None:
    """A range over another."""
    data = _read(path)
    start, other = _place(data, at), _place(data, source)
    data[start : start + length] = data[other : other + length]
    path.write_bytes(data)


def write(path: Path, text: str) -> None:
    """Only this text (surrogates stand for bytes that are not UTF-8)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))


def _read(path: Path) -> bytearray:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGE:
        raise OSError(f"{path} was changed by an edit before")
    return bytearray(path.read_bytes())


def _place(data: bytearray, at: float) -> int:
    return min(int(at * len(data)), max(0, len(data) - 1))
