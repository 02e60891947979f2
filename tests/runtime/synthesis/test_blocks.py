"""Blocks of a stream: the same for `for` and `async for`, and nothing lost to a cancelled task."""

from __future__ import annotations

import asyncio
import math
import threading
import time

import numpy as np
import pytest

from wn_runtime.synthesis.blocks import Block, Blocks


class Ramp:
    """A stream that counts."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.made, self.seconds = 0, seconds
        self.threads: set[int] = set()

    def read(self, samples: int) -> Block:
        self.threads.add(threading.get_ident())
        time.sleep(self.seconds)
        block = np.arange(self.made, self.made + samples, dtype=np.float32)[:, None]
        self.made += samples
        return block


def test_for_and_async_for_give_the_same() -> None:
    async def all_blocks() -> list[Block]:
        return [block async for block in Blocks(ramp.read, 25, 10)]

    ramp = Ramp()
    plain = list(Blocks(Ramp().read, 25, 10))
    other = asyncio.run(all_blocks())
    assert [len(block) for block in plain] == [10, 10, 5]
    assert np.array_equal(np.concatenate(plain), np.concatenate(other))
    assert threading.get_ident() not in ramp.threads


def test_the_event_loop_goes_on_meanwhile() -> None:
    async def both() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.005)
                ticks += 1

        ticking = asyncio.create_task(tick())
        async for _ in Blocks(Ramp(0.05).read, 20, 10):
            pass
        ticking.cancel()
        return ticks

    assert asyncio.run(both()) >= 2


def test_a_cancelled_task_loses_no_block() -> None:
    async def interrupted() -> Block:
        blocks = Blocks(Ramp(0.05).read, math.inf, 10)
        first = await anext_of(blocks)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext_of(blocks), 0.01)
        return np.concatenate([first, await anext_of(blocks), await anext_of(blocks)])

    async def anext_of(blocks: Blocks) -> Block:
        return await blocks.__anext__()

    assert np.array_equal(asyncio.run(interrupted())[:, 0], np.arange(30))


def test_an_error_is_raised_once_and_asked_again() -> None:
    def failing(samples: int) -> Block:
        raise ValueError(samples)

    async def twice() -> None:
        blocks = Blocks(failing, 20, 10)
        for _ in range(2):
            with pytest.raises(ValueError, match="10"):
                await blocks.__anext__()

    asyncio.run(twice())


def test_what_it_says_of_itself() -> None:
    assert repr(Blocks(Ramp().read, 25, 10)) == "<Blocks of 10 samples, 25 samples to come>"
    assert repr(Blocks(Ramp().read, math.inf, 10)) == "<Blocks of 10 samples, without end>"
