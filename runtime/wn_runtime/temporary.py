"""Folders that are gone again at the end, also where descriptors run out on the way.

To remove a folder it must be listed, which takes descriptors. Some are kept back while it is
filled: whoever has none for that fails before anything is made.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wn_runtime.system.opening import PLAIN

_ENOUGH = 6


class Spare:
    """A few open descriptors. Raises OSError where there are none."""

    def __init__(self) -> None:
        self._kept: list[int] = []
        try:
            for _ in range(_ENOUGH):
                self._kept.append(os.open(os.devnull, os.O_RDONLY | PLAIN))
        except OSError as error:
            self.release()
            raise OSError(error.errno, error.strerror) from error

    def release(self) -> None:
        """Give them back, to be used for clearing up."""
        while self._kept:
            os.close(self._kept.pop())


@contextmanager
def folder(prefix: str = "wavestep-", inside: Path | None = None) -> Iterator[Path]:
    """A private folder for a `with` block, in `inside` or where temporary files go."""
    spare = Spare()
    try:
        path = Path(tempfile.mkdtemp(prefix=prefix, dir=inside))
        try:
            yield path
        finally:
            spare.release()
            shutil.rmtree(path, ignore_errors=True)
    finally:
        spare.release()
