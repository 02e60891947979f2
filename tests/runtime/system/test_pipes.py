"""A pipe is waited for, and not for ever."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

import pytest

from wn_runtime.system import pipes


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_it_is_readable_when_there_is_something(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    began = time.monotonic()
    assert not pipes.readable(reading, 0.05)
    assert time.monotonic() - began >= 0.04
    assert not pipes.readable(reading, 0)
    assert not pipes.readable(reading, -1)
    os.write(writing, b"x")
    assert pipes.readable(reading, 10)
    assert pipes.readable(reading)


def test_its_end_is_something() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    assert pipes.readable(reading)
    os.close(reading)


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are small there")
def test_any_descriptor_is_waited_for(pipe: tuple[int, int]) -> None:
    """A server with a thousand clients opens a model, too; select() takes none from 1024 on."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 3001:
        pytest.skip("no descriptor of that number here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3001), hard))
    try:
        high = os.dup2(pipe[0], 3000)
        assert not pipes.readable(high, 0)
        os.write(pipe[1], b"x")
        assert pipes.readable(high)
        os.close(high)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
