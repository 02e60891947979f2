"""Killed, run twice at once, on a full disk: nothing is lost, and the next run is whole."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

import pytest

from tests.fuzz.kills import SECONDS, SIGNALS, Killer, Scene, scenes
from tests.fuzz.pairs import at_once
from tests.fuzz.proofs import leftovers
from tests.fuzz.sandbox import Sandbox
from tests.fuzz.world import World

SCENES = {scene.name: scene for scene in scenes()}
KILLS = {"run": 3, "rebuild": 1, "train": 1}
"""`python -m tests.fuzz --kills 200` has more."""


@pytest.fixture(params=[name for name in KILLS if name in SCENES])
def scene(request: pytest.FixtureRequest) -> Scene:
    return SCENES[request.param]


def test_killed_at_any_moment(scene: Scene, sandbox: Sandbox, tmp_path: Path) -> None:
    killer = Killer(scene, sandbox, tmp_path)
    rng = random.Random(scene.name)
    for _ in range(KILLS[scene.name]):
        faults = killer.kill(rng.random(), rng.choice(SIGNALS))
        assert not faults, faults


@pytest.mark.parametrize("kilobytes", [10])
def test_on_a_full_disk_the_old_is_kept(scene: Scene, sandbox: Sandbox, kilobytes: int) -> None:
    """A file may have so many kilobytes, and no more: whatever is written fails there."""
    case = dataclasses.replace(scene.case, limits={"RLIMIT_FSIZE": kilobytes << 10})
    outcome = sandbox.run(case, seconds=SECONDS)
    assert outcome.code in (0, 1, 2), outcome.stderr
    assert b"Traceback" not in outcome.stderr
    assert leftovers(outcome.root) == []
    if outcome.code == 2 and scene.name != "train":
        kept = {path: outcome.after.get(path) for path in outcome.before if path.startswith("work")}
        assert kept == {path: outcome.before[path] for path in kept}


def test_two_at_once_on_the_same_place(world: World, tmp_path: Path) -> None:
    assert at_once(SCENES["run"], world, tmp_path) == []


def test_a_scene_that_writes_in_place_is_found(sandbox: Sandbox, tmp_path: Path) -> None:
    """The proofs can fail: half a file, and another run's weights."""
    scene = SCENES["rebuild"]
    sandbox.run(dataclasses.replace(scene.case, arguments=("--help",)))
    work = tmp_path / "voice"
    work.mkdir()
    (work / "step.onnx").write_bytes(b"half")
    record = {"sha256": "0" * 64, "bytes": 8}
    (work / "manifest.json").write_text(json.dumps({"files": {"step.onnx": record}}))
    assert scene.whole(tmp_path, None) == ["voice/step.onnx is not what the manifest says"]
    (tmp_path / ".voice.part-1").mkdir()
    assert leftovers(tmp_path) == [".voice.part-1"]
