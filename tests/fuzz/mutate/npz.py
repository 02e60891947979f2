"""reference.npz: its arrays, the words in it, and the zip around them."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from tests.fuzz.mutate import structure


class _Hostile:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ('touch "$WN_FUZZ_MARKER"',))


CHANGES: dict[str, Callable[[Any], Any]] = {
    "empty": lambda a: a[:0] if a.ndim else a,
    "shorter": lambda a: a[:-1] if a.ndim else a,
    "longer": lambda a: np.concatenate([a, a]) if a.ndim else a,
    "scalar": lambda a: a.reshape(-1)[0] if a.size else np.float32(0),
    "column": lambda a: a.reshape(-1, 1),
    "row": lambda a: a.reshape(1, -1),
    "5-d": lambda a: a.reshape(1, 1, 1, 1, -1),
    "negative": lambda a: -1 - _numbers(a).astype(np.int64),
    "huge": lambda a: np.full(a.shape, 2**62),
    "large": lambda a: np.full(a.shape, 255, np.uint8),
    "zeros": lambda a: np.zeros_like(a),
    "nan": lambda a: np.full(a.shape, np.nan, np.float32),
    "inf": lambda a: np.full(a.shape, np.inf, np.float32),
    "float64": lambda a: _numbers(a).astype(np.float64),
    "float16": lambda a: _numbers(a).astype(np.float16),
    "int8": lambda a: _numbers(a).astype(np.int8),
    "bool": lambda a: _numbers(a).astype(bool),
    "complex": lambda a: _numbers(a).astype(np.complex64),
    "text": lambda a: a.astype("U3"),
    "bytes": lambda a: np.full(a.shape, b"x"),
    "dates": lambda a: np.zeros(a.shape, "datetime64[s]"),
    "void": lambda a: np.zeros(a.shape, "V4"),
    "record": lambda a: np.zeros(a.shape, [("x", "<f4"), ("y", "O")]),
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "object": lambda a: np.array([_Hostile()], object),
}
"""What becomes of an array, by name."""


def array(path: Path, name: str, change: str) -> None:
    """Change one array."""
    arrays = _read(path)
    if name in arrays:
        with np.errstate(all="ignore"):
            arrays[name] = CHANGES[change](arrays[name])
        _write(path, arrays)


def drop(path: Path, name: str) -> None:
    """An array less."""
    arrays = _read(path)
    arrays.pop(name, None)
    _write(path, arrays)


def words(path: Path, how: str, values: dict[str, Any]) -> None:
    """Change the JSON among the arrays, as `mutate.structure` does."""
    arrays = _read(path)
    text = path.with_name("words.json")
    text.write_text(str(arrays["words"]), "utf-8")
    try:
        getattr(structure, how)(text, **values)
        arrays["words"] = np.array(text.read_text("utf-8"))
    finally:
        text.unlink()
    _write(path, arrays)


def header(path: Path, name: str, shape: list[int], dtype: str) -> None:
    """An array whose header promises more than there is."""
    data = io.BytesIO()
    data.write(npy.magic(1, 0))
    text = repr({"descr": dtype, "fortran_order": False, "shape": tuple(shape)}).encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    data.write(struct.pack("<H", len(text)) + text + bytes(64))
    _replace(path, f"{name}.npy", data.getvalue())


def bomb(path: Path, name: str) -> None:
    """An array of 1.6 gigabytes in as many megabytes."""
    data = io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (400 << 20,)}
    npy.write_array_header_1_0(data, shape)
    _replace(path, f"{name}.npy", data.getvalue(), zeros=25)


def _replace(path: Path, member: str, data: bytes, zeros: int = 0) -> None:
    """A member of the zip, with `zeros` times 64 MiB of zeros after its data."""
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if name != member}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
        info = zipfile.ZipInfo(member)
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as file:
            file.write(data)
            for _ in range(zeros):
                file.write(bytes(64 << 20))


def _numbers(a: Any) -> Any:
    return a if a.dtype.kind in "biuf" else np.zeros(a.shape)


def names(path: Path) -> list[str]:
    """The arrays of a good file."""
    return list(_read(path))


def document(path: Path) -> Any:
    """The words of a good file."""
    return json.loads(str(_read(path)["words"]))


def _read(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise OSError(f"{path} was changed by an edit before") from error


def _write(path: Path, arrays: dict[str, Any]) -> None:
    np.savez_compressed(path, **arrays)
