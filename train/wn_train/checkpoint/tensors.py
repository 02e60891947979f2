"""The tensors of a checkpoint: read into memory of this process, as large as they say."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from wn_runtime.engines.memory import available_bytes
from wn_runtime.errors import WavestepError
from wn_train.checkpoint.archive import Archive, Damaged
from wn_train.checkpoint.pickled import StoredTensor


class Tensors:
    """Reads those of one archive. Raises Damaged."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        order = sys.byteorder.encode()
        if archive.has("byteorder") and (
            archive.size("byteorder") != len(order) or archive.read("byteorder") != order
        ):
            raise Damaged("its numbers are in another byte order than this machine's")

    def read(self, stored: StoredTensor) -> Tensor:
        """A tensor whose size has been checked, and for whose memory `reserve` has asked."""
        numbers = np.frombuffer(self._archive.read(stored.storage.member), stored.storage.dtype)
        return torch.from_numpy(numbers.reshape(stored.shape).copy())

    def check_size(self, stored: StoredTensor) -> None:
        """Whether its storage holds all of it and nothing else."""
        size = self._archive.size(stored.storage.member)
        if size != size_of(stored):
            raise Damaged(
                f"its {stored.storage.member} has {size} bytes, the tensor of it {size_of(stored)}"
            )


def size_of(stored: StoredTensor) -> int:
    """Bytes."""
    return math.prod(stored.shape) * stored.storage.dtype.itemsize


def reserve(tensors: Iterable[StoredTensor], where: str) -> None:
    """Raise WavestepError where tensors are more than this process can have in memory."""
    needed, available = sum(map(size_of, tensors)), available_bytes()
    if available is not None and needed > available:
        raise WavestepError(
            f"{where} needs {needed / 2**30:.1f} GiB of memory, "
            f"{available / 2**30:.1f} GiB are available"
        )
