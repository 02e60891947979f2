"""The world that cases are made from, and a sandbox with its zygotes, once a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.sandbox import Sandbox
from tests.fuzz.world import World

PATIENCE = 10
"""A test tells what never ends from what does. What merely takes long `python -m tests.fuzz` finds:
how fast this machine is, and how much of it is ours, no test knows."""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def sandbox(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox"), world, patience=PATIENCE) as sandbox:
        yield sandbox
