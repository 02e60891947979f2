"""A case's own folders, and its run in a child of a zygote.

0007/work      the working directory, with the case's files
0007/victim    what lies beside it and is nobody's business
0007/home      HOME, with the cache and the trust store
0007/tmp       TMPDIR
0007/marker    made by hostile code, should any run
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.fuzz import tree
from tests.fuzz.case import Case
from tests.fuzz.commands import COMMANDS, Command, modules
from tests.fuzz.tree import Tree
from tests.fuzz.world import World

ROOT = Path(__file__).parent.parent.parent
LIMITS = {"RLIMIT_DATA": 3 << 30, "RLIMIT_FSIZE": 256 << 20, "RLIMIT_CORE": 0}
"""RLIMIT_AS would stop torch itself, which maps far more than it uses."""
CACHE = "home/.cache/wavestep"
TRUST = "home/.local/share/wavestep/trusted"
KEPT = 200_000
"""Bytes of what a command printed that are judged."""


@dataclass(frozen=True)
class Outcome:
    """How a case ended."""

    code: int
    """Exit code; negative: the signal that ended it."""
    seconds: float
    peak_mb: float
    timed_out: bool
    left: tuple[str, ...]
    """Processes that were alive after it."""
    stdout: bytes
    stderr: bytes
    root: Path
    before: Tree
    after: Tree
    """All of `root`."""


class Sandbox:
    """Runs cases one after another below a folder; the zygotes are started when needed."""

    def __init__(
        self,
        folder: Path,
        world: World,
        commands: dict[str, Command] = COMMANDS,
        patience: float = 1.0,
    ) -> None:
        """patience: how many times the seconds of a command are given, on a slow machine."""
        self._folder, self._world, self._commands = folder, world, commands
        self._patience = patience
        self._zygotes: dict[str, subprocess.Popen[str]] = {}

    def run(self, case: Case, seconds: float | None = None, anew: bool = True) -> Outcome:
        """Lay the case out, run it, and look at what became of its files.

        seconds: None: the command's, and more where other programs want the cores, too.
        anew: False goes on in the folders as the last case left them.
        """
        if seconds is None:
            busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
            seconds = self._commands[case.command].seconds * self._patience * busy
        root = self._folder / "case"
        if anew:
            _remove(root)
            self._lay_out(root, case)
        before = tree.look(root)
        io = self._folder / "io"
        _remove(io)
        io.mkdir()
        (io / "stdin").touch()
        answer = self._ask(case, root, io, seconds)
        return Outcome(
            answer["code"],
            answer["seconds"],
            answer["peak_mb"],
            answer["timed_out"],
            tuple(answer["left"]),
            _head(io / "stdout"),
            _head(io / "stderr"),
            root,
            before,
            tree.look(root),
        )

    def _lay_out(self, root: Path, case: Case) -> None:
        work, victim = root / "work", root / "victim"
        for folder in (work, victim, root / "tmp", root / "home" / ".local" / "share"):
            folder.mkdir(parents=True)
        for name in ("notes.wav", "notes.json", "notes"):
            (victim / name).write_text("precious\n")
        (victim / "model").mkdir()
        (victim / "model" / "manifest.json").write_text("{}\n")
        shutil.copytree(self._world.root / "wavestep", root / CACHE)
        (root / CACHE).chmod(0o700)
        for name in case.inputs:
            if name == "trusted":
                (root / TRUST).parent.mkdir(mode=0o700)
                shutil.copy2(self._world.root / name, root / TRUST)
            elif self._world.has(name):  # what needs torch is missing without it
                self._world.copy(name, work)
        for edit in case.edits:
            module, function = edit.how.split(".")
            if module != "place" and not _is_plain(work / edit.at):
                continue
            change = getattr(importlib.import_module(f"tests.fuzz.mutate.{module}"), function)
            # One that finds a file changed by those before it may have nothing to do;
            # test_mutate.py shows that each does its work alone.
            with contextlib.suppress(Exception):
                change(work / edit.at, **edit.values)

    def _ask(self, case: Case, root: Path, io: Path, seconds: float) -> dict[str, Any]:
        def placed(text: str) -> str:
            there = text.replace("{work}", str(root / "work"))
            return there.replace("{victim}", str(root / "victim"))

        environment: dict[str, str | None] = {
            "PYTHONPATH": os.environ.get("PYTHONPATH"),  # of another tree that is to be tried
            "PATH": "/usr/bin:/bin",
            "HOME": str(root / "home"),
            "TMPDIR": str(root / "tmp"),
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
            "WN_FUZZ_MARKER": str(root / "marker"),
            **case.environment,
        }
        request = {
            "command": case.command,
            "entry": self._commands[case.command].entry,
            "arguments": [placed(word) for word in case.arguments],
            "environment": {k: placed(v) for k, v in environment.items() if v is not None},
            "work": str(root / "work"),
            "streams": case.streams,
            **{name: str(io / name) for name in ("stdin", "stdout", "stderr")},
            **({"stdin": str(root / "work" / given)} if (given := _stdin(case)) else {}),
            "limits": {**LIMITS, **case.limits},
            "seconds": seconds,
            "stop": None if case.stop is None else vars(case.stop),
            "fresh": case.fresh,
        }
        zygote = self._zygote(case.command)
        assert zygote.stdin is not None
        assert zygote.stdout is not None
        zygote.stdin.write(json.dumps(request) + "\n")
        zygote.stdin.flush()
        line = zygote.stdout.readline()
        if not line:
            raise RuntimeError(f"the zygote of {case.command} is gone: {zygote.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _zygote(self, name: str) -> subprocess.Popen[str]:
        kind = self._commands[name].zygote
        if kind not in self._zygotes:
            environment = {
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
                "XDG_CACHE_HOME": str(self._folder / "zygote"),
                "MPLCONFIGDIR": str(self._world.root / "matplotlib"),
            }
            if kind == "toy":
                environment["PYTHONPATH"] = str(ROOT)
            self._zygotes[kind] = subprocess.Popen(
                [sys.executable, str(ROOT / "tests/fuzz/zygote.py"), *modules(kind)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="ascii",
                cwd=self._folder,
                env=environment,
            )
        return self._zygotes[kind]

    def close(self) -> None:
        """End the zygotes and remove the last case."""
        for zygote in self._zygotes.values():
            zygote.communicate()
        self._zygotes.clear()
        for name in ("case", "io", "zygote"):
            _remove(self._folder / name)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _stdin(case: Case) -> str | None:
    """The file of the working directory that is on stdin."""
    how = case.streams.get("stdin")
    return None if how in ("closed", "full", "broken") else how


def _is_plain(path: Path) -> bool:
    """Whether an edit may read it: no link, no pipe, nothing without end."""
    try:
        status = path.lstat()
    except OSError:
        return True
    small = status.st_size < 64 << 20
    return stat.S_ISDIR(status.st_mode) or (stat.S_ISREG(status.st_mode) and small)


def _head(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        return file.read(KEPT)


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)
