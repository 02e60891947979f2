"""What a device is given is pinned: every package, every system, and as CI has it."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest

from wn_export.bundle import pins
from wn_targets.devices.jetpack import JETPACKS, JetPack

CONSTRAINTS = (Path(__file__).parents[3] / "constraints.txt").read_text("utf-8")
LINE = re.compile(r"([a-z0-9-]+)==([0-9][\w.]*)((?: --hash=sha256:[0-9a-f]{64})+)")
FILES = sorted(path.stem for path in pins.FOLDER.glob("*.txt"))


def versions(name: str) -> dict[str, str]:
    found = {}
    for line in pins.pinned(name):
        match = LINE.fullmatch(line)
        assert match is not None, line
        found[match[1]] = match[2]
    return found


def requirements(extra: str = "") -> set[str]:
    """Names that wavestep requires, or one of its extras."""
    wanted = f"extra == '{extra}'" if extra else ""
    lines = [line.partition(";") for line in metadata.requires("wavestep") or ()]
    return {
        re.split(r"[<>=!~ ]", name)[0]
        for name, _, marker in lines
        if (wanted in marker if wanted else "extra" not in marker)
    }


@pytest.mark.parametrize("name", FILES)
def test_each_package_has_a_version_and_hashes(name: str) -> None:
    assert versions(name)


@pytest.mark.parametrize("python", pins.PYTHONS)
def test_all_that_wavestep_requires_is_there(python: str) -> None:
    assert requirements() <= set(versions(python))


@pytest.mark.parametrize("python", pins.PYTHONS)
def test_the_versions_are_those_of_ci(python: str) -> None:
    """A pin without a marker holds on every Python, one with a marker from 3.11 on."""
    for line in re.sub(r"#.*", "", CONSTRAINTS).split("\n"):
        pin, _, marker = line.partition(";")
        name, _, version = pin.strip().partition("==")
        assert marker.strip() in ("", 'python_version >= "3.11"'), "of which Pythons is it?"
        if name in versions(python) and (not marker or python != "3.10"):
            assert versions(python)[name] == version


@pytest.mark.parametrize("release", [each for each in JETPACKS.values() if each.runs_cubins])
def test_the_cuda_engine_of_every_jetpack_is_pinned(release: JetPack) -> None:
    python, cuda = release.python, release.cuda_major
    wanted = {name for name in requirements(release.extra) if name.startswith("cuda-")}
    found = versions(f"{python}-cuda{cuda}")
    assert wanted
    assert wanted <= set(found)
    assert found["cuda-bindings"].startswith(f"{cuda}.")
    assert not set(found) & set(versions(python)), "a package pinned twice"


def test_comments_are_no_packages() -> None:
    assert (pins.FOLDER / "pip.txt").read_text().startswith("#")
    assert [line.partition("==")[0] for line in pins.pinned(pins.PIP)] == ["pip"]
