"""A file that torch.save wrote, in either of its formats: what is in it, and its tensors' numbers.

zip       data.pkl, and a member for each storage (checkpoint/archive.py)
legacy    one after another: a magic number, a version, how numbers are stored, what was saved,
          the storages' keys, each a pickle; then of each storage its size and its numbers
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.memory import available_bytes
from wn_runtime.errors import WavestepError
from wn_train.checkpoint.archive import MOST_PICKLE, Archive, Damaged
from wn_train.checkpoint.pickled import opcodes
from wn_train.importers.machine import ForeignMachine, ForeignStorage, ForeignTensor

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
"""How the older format begins: the magic number's pickle."""
ZIP = b"PK\x03\x04"


class TorchFile:
    """An open file: what was saved, and the numbers of its tensors. Raises Damaged."""

    def __init__(self, file: BinaryIO, where: str) -> None:
        self._where = where
        start = file.read(len(LEGACY))
        file.seek(0)
        if start.startswith(ZIP):
            archive = Archive(file)
            self._bytes: Callable[[ForeignStorage], bytes] = _of_archive(archive)
            self.saved = ForeignMachine().run(opcodes(archive.pickle()))
            """What was saved, its tensors unread."""
        elif start == LEGACY:
            self.saved, places = _legacy(file)
            self._bytes = _of_file(file, places)
        else:
            raise Damaged("it is no file that torch.save wrote, or its beginning is lost")

    def read(self, tensor: ForeignTensor) -> NDArray[np.float64]:
        """Its numbers, of the tensor's shape. Raises WavestepError where they fit no memory."""
        storage = tensor.storage
        needed, available = 16 * storage.size, available_bytes()
        if available is not None and needed > available:
            raise WavestepError(
                f"{self._where} needs {needed / 2**30:.1f} GiB of memory for one tensor, "
                f"{available / 2**30:.1f} GiB are available"
            )
        data = self._bytes(storage)
        if len(data) != storage.size * storage.dtype.itemsize:
            raise Damaged(f"its storage {storage.key} has {len(data)} bytes, not what it says")
        numbers = np.frombuffer(data, storage.dtype)
        if storage.kind == "BFloat16":
            numbers = (numbers.astype("<u4") << 16).view("<f4")
        strides = [step * numbers.itemsize for step in tensor.strides]
        view = np.ndarray(
            tensor.shape, numbers.dtype, numbers, tensor.offset * numbers.itemsize, strides
        )
        return view.astype(np.float64)


def _of_archive(archive: Archive) -> Callable[[ForeignStorage], bytes]:
    order = b"little"
    if archive.has("byteorder") and (
        archive.size("byteorder") != len(order) or archive.read("byteorder") != order
    ):
        raise Damaged("its numbers are in another byte order than is usual")

    def read(storage: ForeignStorage) -> bytes:
        size = storage.size * storage.dtype.itemsize
        if archive.size(f"data/{storage.key}") != size:
            raise Damaged(f"its data/{storage.key} is not of the {size} bytes it says")
        return archive.read(f"data/{storage.key}")

    return read


def _of_file(file: BinaryIO, places: dict[str, int]) -> Callable[[ForeignStorage], bytes]:
    def read(storage: ForeignStorage) -> bytes:
        if storage.key not in places:
            raise Damaged(f"it has no storage {storage.key}")
        file.seek(places[storage.key])
        return file.read(storage.size * storage.dtype.itemsize)

    return read


def _legacy(file: BinaryIO) -> tuple[Any, dict[str, int]]:
    """What was saved, and where the numbers of each storage begin."""
    limited = _Limited(file)
    magic, version, system = (ForeignMachine().run(opcodes(limited)) for _ in range(3))
    if magic != _MAGIC or version != _VERSION or not isinstance(system, dict):
        raise Damaged("it is of a format that is not known")
    if not system.get("little_endian", True):
        raise Damaged("its numbers are in another byte order than is usual")
    machine = _Noting()
    saved = machine.run(opcodes(limited))
    keys = ForeignMachine().run(opcodes(limited))
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise Damaged("it has no list of its storages")
    size, places = os.fstat(file.fileno()).st_size, {}
    for key in keys:
        storage = machine.storages.get(key)
        count = int.from_bytes(file.read(8), "little")
        if storage is None or count != storage.size:
            raise Damaged(f"its storage {key:.20} is not of the size it says")
        places[key] = file.tell()
        end = places[key] + count * storage.dtype.itemsize
        if end > size:
            raise Damaged("it is cut short")
        file.seek(end)
    return saved, places


class _Noting(ForeignMachine):
    """Keeps the storages that it comes by."""

    def __init__(self) -> None:
        super().__init__()
        self.storages: dict[str, ForeignStorage] = {}

    def _stored(self, given: Any) -> Any:
        made = super()._stored(given)
        if isinstance(made, ForeignStorage):
            self.storages[made.key] = made
        return made


class _Limited:
    """A file of which no more than a pickle's bytes are read: it says itself how long a text is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, MOST_PICKLE

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        self._take(size)
        return self._file.read(size)

    def readline(self) -> bytes:
        """As a file's, of a name's length at most."""
        line = self._file.readline(2000)
        self._take(len(line))
        return line

    def tell(self) -> int:
        """As a file's."""
        return self._file.tell()

    def _take(self, size: int) -> None:
        self._left -= size
        if size < 0 or self._left < 0:
            raise Damaged(f"its pickles have over {MOST_PICKLE} bytes")
