"""Audio in blocks, for `for` and for `async for`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]


class Blocks(Iterator[Block], AsyncIterator[Block]):
    """So many samples of a stream, `size` at a time; the last block may be shorter.

    With `async for` each block is made in a thread while the event loop goes on. A task that is
    cancelled meanwhile loses nothing: the block comes first when these blocks are next asked.
    """

    def __init__(self, read: Callable[[int], Block], samples: float, size: int) -> None:
        """samples: math.inf: without end."""
        self._read, self._left, self._size = read, samples, size
        self._coming: asyncio.Future[Block] | None = None

    def __next__(self) -> Block:
        if self._left <= 0:
            raise StopIteration
        block = self._read(int(min(self._size, self._left)))
        self._left -= len(block)
        return block

    async def __anext__(self) -> Block:
        if self._coming is None:
            if self._left <= 0:
                raise StopAsyncIteration
            self._coming = asyncio.ensure_future(asyncio.to_thread(self.__next__))
        try:
            block = await asyncio.shield(self._coming)
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._coming = None
            raise
        self._coming = None
        return block

    def __repr__(self) -> str:
        left = "without end" if math.isinf(self._left) else f"{self._left:g} samples to come"
        return f"<Blocks of {self._size} samples, {left}>"
