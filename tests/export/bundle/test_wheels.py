"""Wheels are those that are pinned, or none; why there are none is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.export.bundle.repacked import pin, repacked
from wn_export.bundle import pins, wheels
from wn_runtime import isolated


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, all that pip knows."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(pins, "pinned", lambda name: [])
    return folder


def test_what_is_pinned_is_brought_and_nothing_else(shelf: Path, tmp_path: Path) -> None:
    click, _ = repacked("click", shelf), repacked("tqdm", shelf)
    folder = tmp_path / "fetched"
    folder.mkdir()
    found = wheels.fetch({"3.10": [pin(click)], "3.12": [pin(click)]}, "aarch64", folder)
    assert [each.name for each in found] == [click.name]
    assert sorted(folder.iterdir()) == found, "only wheels"


def test_a_wheel_that_is_not_the_pinned_one_is_refused(shelf: Path, tmp_path: Path) -> None:
    line = pin(repacked("click", shelf))
    wrong = line[:-8] + ("0" * 8)
    with pytest.raises(wheels.NoWheels, match=r"(?i)hash"):
        wheels.fetch({"3.12": [wrong]}, "aarch64", tmp_path)


def test_where_no_index_has_it_that_is_the_reason(shelf: Path, tmp_path: Path) -> None:
    assert not any(shelf.iterdir())
    with pytest.raises(wheels.NoWheels, match=r"No matching distribution found for nothing==1"):
        wheels.fetch({"3.12": [f"nothing==1 --hash=sha256:{'0' * 64}"]}, "aarch64", tmp_path)


def test_where_there_is_no_pip_that_is_the_reason(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = isolated.python

    def without_pip(code: str, *arguments: str) -> list[str]:
        return python(f"sys.modules['pip'] = None\n{code}", *arguments)

    assert shelf.is_dir()
    monkeypatch.setattr(isolated, "python", without_pip)
    with pytest.raises(wheels.NoWheels, match="pip"):
        wheels.fetch({"3.12": []}, "aarch64", tmp_path)
