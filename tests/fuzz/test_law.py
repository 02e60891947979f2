"""The law can fail: each broken toy is found, under its own name; the good ones are not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz import law
from tests.fuzz.case import Case
from tests.fuzz.commands import Command
from tests.fuzz.conftest import PATIENCE
from tests.fuzz.sandbox import Sandbox
from tests.fuzz.world import World

BROKEN = {
    "traceback": "traceback: RuntimeError in tests/fuzz/toys.py:traceback",
    "hang": "hang: toy",
    "memory": "memory: toy over 1024 MB",
    "crash": "crash: toy signal 6",
    "exit": "exit code: toy 7",
    "half": "half-written: toy work/out.wav: EOFError",
    "warning": "noise: toy: ",
    "verbose": "noise: toy: verbose: N.N s",
    "silent": "no error line: toy: ",
    "endless": "endless error line: toy: error: x",
    "lost": "lost file: toy work/clip.wav",
    "changed": "changed file: toy work/clip.wav",
    "stray": "stray file: toy work/~",
    "leftover": "leftover: toy work/.out.wav.N.part",
    "outside": "outside touched: toy victim/notes",
    "escape": "control characters: toy U+0007 U+001B",
    "bidi": "control characters: toy U+202E",
    "daemon": "left running: sleep 60",
    "marker": "hostile code ran: toy",
    "exits_badly": "exit code: toy 120",
}


@pytest.fixture(scope="module")
def toys(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    commands = {"toy": Command("tests.fuzz.toys:main", zygote="toy")}
    folder = tmp_path_factory.mktemp("toys")
    with Sandbox(folder, world, commands, PATIENCE) as sandbox:
        yield sandbox


def breaches(toys: Sandbox, toy: str, *more: str) -> list[str]:
    case = Case("toy", "toy", (toy, "-o", "out.wav", *more), ("clip.wav",))
    seconds = 2 if toy == "hang" else None
    return [str(breach) for breach in law.judge(case, toys.run(case, seconds))]


@pytest.mark.parametrize("toy", ["good", "refuses"])
def test_a_good_command_breaks_nothing(toys: Sandbox, toy: str) -> None:
    assert breaches(toys, toy) == []


def test_words_that_were_asked_for_are_no_noise(toys: Sandbox) -> None:
    assert breaches(toys, "verbose", "-v") == []


@pytest.mark.parametrize("toy", BROKEN)
def test_a_broken_one_is_found(toys: Sandbox, toy: str) -> None:
    found = breaches(toys, toy)
    assert any(breach.startswith(BROKEN[toy]) for breach in found), found
