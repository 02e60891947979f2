"""Commands killed at random moments, then run again: nothing lost, nothing half, the end the same.

Each scene has files that were there before. After the kill they are the old ones, whole, or the new
ones, whole; the same command again (wn-train with --resume) then ends as if it had never been
killed, and clears what the killed one left.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import multiprocessing
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import tree
from tests.fuzz.case import Case, Stop
from tests.fuzz.commands import available
from tests.fuzz.proofs import leftovers, whole_audio, whole_model, whole_run
from tests.fuzz.sandbox import Outcome, Sandbox
from tests.fuzz.world import World

SIGNALS = ("SIGKILL", "SIGKILL", "SIGKILL", "SIGTERM", "SIGINT", "SIGHUP")
SECONDS = 300.0


@dataclass(frozen=True)
class Scene:
    """A command to be killed."""

    name: str
    case: Case
    whole: Callable[[Path, Path | None], list[str]]
    """What is wrong with the working directory, beside the one of an uninterrupted run."""
    output: str
    """What it makes, within the working directory."""
    again: tuple[str, ...] = ()
    """Arguments to add where the killed one left a checkpoint to go on from."""


def scenes() -> list[Scene]:
    """Those whose commands are here."""
    here = available()
    train = ("data", "-o", "run", "--config", "config.toml", "--threads", "1", "--steps", "5")
    inputs = ("data", "config.toml")
    speak = ("voice", "--engine", "onnx", "--seconds", "15", "-o", "clip.wav")
    every = [
        Scene("run", _case("wn-run", speak, "voice", "clip.wav"), whole_audio, "clip.wav"),
        Scene("rebuild", _case("wn-export", ("voice",), "voice"), whole_model("voice"), "voice"),
        Scene(
            "export",
            _case("wn-export", ("voice.pt", "-o", "voice"), "voice", "voice.pt"),
            whole_model("voice"),
            "voice",
        ),
        Scene("train", _case("wn-train", train, *inputs), whole_run, "run", ("--resume",)),
    ]
    return [
        scene
        for scene in every
        if scene.case.command in here and (scene.name != "export" or "wn-train" in here)
    ]


def _case(command: str, arguments: tuple[str, ...], *inputs: str) -> Case:
    return Case("kills", command, arguments, inputs)


class Killer:
    """Kills one scene as often as asked."""

    def __init__(self, scene: Scene, sandbox: Sandbox, scratch: Path) -> None:
        """Runs the scene once without a kill, for how long it takes and how it ends."""
        self._scene, self._sandbox = scene, sandbox
        done = sandbox.run(scene.case, SECONDS)
        if done.code != 0:
            raise RuntimeError(f"{scene.name} does not run: {done.stderr.decode()}")
        self._seconds = done.seconds
        self._reference = scratch / scene.name
        (done.root / "work").rename(self._reference)

    def kill(self, moment: float, signal: str) -> list[str]:
        """What was wrong after a kill at that fraction of the command's time, and then again."""
        scene = self._scene
        stop = Stop(signal, moment * self._seconds)
        killed = self._sandbox.run(dataclasses.replace(scene.case, stop=stop), SECONDS)
        faults = [f"killed: {fault}" for fault in self._faults(killed)]
        if signal != "SIGKILL":
            faults += [f"killed: {name} is left" for name in leftovers(killed.root)]
            faults += [f"killed: {words} is left running" for words in killed.left]
        resumed = scene.again if (killed.root / "work/run/last.pt").exists() else ()
        case = dataclasses.replace(scene.case, arguments=(*scene.case.arguments, *resumed))
        after = self._sandbox.run(case, SECONDS, anew=False)
        if after.code != 0:
            faults.append(f"again: exit code {after.code}: {after.stderr.decode()[-300:]}")
        faults += [f"again: {fault}" for fault in scene.whole(after.root / "work", self._reference)]
        faults += [f"again: {name} is left" for name in leftovers(after.root)]
        return [f"{scene.name}, {signal} after {stop.after:.3f} s, {fault}" for fault in faults]

    def _faults(self, killed: Outcome) -> list[str]:
        """What is wrong now: all inputs are there, and the old output or the new one, whole."""
        scene, output = self._scene, f"work/{self._scene.output}"
        changed = [path for path in tree.changes(killed.before, killed.after) if _counts(path)]
        faults = [f"{path} is not as it was" for path in changed if not path.startswith(output)]
        if any(path.startswith(output) for path in changed):
            faults += scene.whole(killed.root / "work", None)
        return faults


def _counts(path: str) -> bool:
    """Whether it is a file of the user's: neither in the making nor the command's own."""
    return path.startswith(("work/", "victim/")) and "/." not in path


def campaign(count: int, jobs: int, seed: int, say: Callable[[str], object]) -> int:
    """Kill that many commands, an equal share of each scene; returns how many ended badly."""
    names = [scene.name for scene in scenes()]
    bad = 0
    with tempfile.TemporaryDirectory(prefix="wn-kills-") as scratch:
        World(Path(scratch) / "world")
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(jobs, context) as pool:
            share = -(-count // len(names))
            every = [pool.submit(_kill, scratch, name, share, seed) for name in names]
            for name, future in zip(names, every, strict=True):
                broken = [faults for faults in future.result() if faults]
                bad += len(broken)
                say(f"kills of {name:8} {share:5}   ended badly {len(broken):5}")
                for faults in broken:
                    say("\n".join(f"  {fault}" for fault in faults))
        return bad + _pairs(scratch, say)


def _kill(scratch: str, name: str, count: int, seed: int) -> list[list[str]]:
    """The faults of each kill of one scene."""
    scene = next(scene for scene in scenes() if scene.name == name)
    place = Path(scratch) / f"sandbox-{name}"
    place.mkdir()
    rng = random.Random(f"{name} {seed}")
    with Sandbox(place, World(Path(scratch) / "world")) as sandbox:
        killer = Killer(scene, sandbox, Path(scratch))
        return [killer.kill(rng.random() * 1.05, rng.choice(SIGNALS)) for _ in range(count)]


def _pairs(scratch: str, say: Callable[[str], object]) -> int:
    """Each scene twice at once; returns how many ended badly."""
    from tests.fuzz.pairs import at_once

    bad = 0
    for scene in scenes():
        folder = Path(scratch) / f"pair-{scene.name}"
        folder.mkdir()
        faults = at_once(scene, World(Path(scratch) / "world"), folder)
        say(f"two at once of {scene.name:8}   {'; '.join(faults) or 'whole'}")
        bad += bool(faults)
    return bad
