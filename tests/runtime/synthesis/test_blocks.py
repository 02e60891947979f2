"""Blocks of a stream: the same for `for` and `async for`, and nothing lost to a cancelled task."""

from __future__ import annotations

import asyncio
import math
import threading

import numpy as np
import pytest

from wn_runtime.synthesis.blocks import Block, Blocks

PATIENCE = 60
"""Seconds after which a read is taken to wait for ever."""


class Ramp:
    """A stream that counts, as long as it may go on."""

    def __init__(self) -> None:
        self.made = 0
        self.threads: set[int] = set()
        self.go_on = threading.Event()
        self.go_on.set()

    def read(self, samples: int) -> Block:
        self.threads.add(threading.get_ident())
        assert self.go_on.wait(PATIENCE)
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
    async def both() -> None:
        ramp = Ramp()
        ramp.go_on.clear()

        async def tick() -> None:
            while not ramp.threads:
                await asyncio.sleep(0)
            ramp.go_on.set()  # by a loop that stands still while a block is made it never is

        ticking = asyncio.create_task(tick())
        async for _ in Blocks(ramp.read, 20, 10):
            pass
        await ticking

    asyncio.run(both())


def test_a_cancelled_task_loses_no_block() -> None:
    async def interrupted() -> Block:
        ramp = Ramp()
        blocks = Blocks(ramp.read, math.inf, 10)
        first = await anext_of(blocks)
        ramp.go_on.clear()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext_of(blocks), 0.01)
        ramp.go_on.set()
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
