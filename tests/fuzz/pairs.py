"""The same command twice at the same time, on the same place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.fuzz.commands import COMMANDS
from tests.fuzz.kills import Scene
from tests.fuzz.proofs import leftovers
from tests.fuzz.sandbox import ROOT
from tests.fuzz.world import World

SECONDS = 300


def at_once(scene: Scene, world: World, folder: Path) -> list[str]:
    """What was wrong: the last to finish wins, or one is refused, and what is there is whole."""
    for name in scene.case.inputs:
        world.copy(name, folder)
    entry = COMMANDS[scene.case.command].entry
    zygote = str(ROOT / "tests" / "fuzz" / "zygote.py")
    words = [sys.executable, zygote, "--fresh", entry, scene.case.command, *scene.case.arguments]
    both = [
        subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    printed = [process.communicate(timeout=SECONDS)[1] for process in both]
    codes = [process.returncode for process in both]
    faults = [] if 0 in codes else [f"neither was done: {codes}"]
    for code, text in zip(codes, printed, strict=True):
        refused = code == 2 and text.splitlines()[-1].startswith(b"error: ")
        if not (code == 0 or refused) or b"Traceback" in text:
            faults.append(f"exit code {code}: {text[-500:].decode('utf-8', 'replace')}")
    faults += scene.whole(folder, None)
    return [*faults, *(f"{name} is left" for name in leftovers(folder))]
