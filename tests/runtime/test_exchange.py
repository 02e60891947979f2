"""One directory takes another's place, on file systems that can exchange names and on others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from wn_runtime import exchange


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return directory(tmp_path / ".voice.0123abcd.part", "new")


def directory(path: Path, content: str) -> Path:
    path.mkdir()
    (path / "content").write_text(content)
    return path


def content(path: Path) -> str:
    return (path / "content").read_text()


@pytest.fixture(params=["exchange", "renames"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "renames":
        monkeypatch.setattr("ctypes.CDLL", lambda *a, **k: object())


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("there", [None, "", "old"])
def test_the_new_one_has_the_name_then(new: Path, there: str | None) -> None:
    target = new.with_name("voice")
    if there is not None:
        target.mkdir()
    if there:
        (target / "content").write_text(there)
    exchange.place(new, target)
    assert content(target) == "new"
    assert not new.exists() or content(new) == "old"


@pytest.mark.usefixtures("way")
def test_a_disk_that_refuses_leaves_both_as_they_were(
    new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = directory(new.with_name("voice"), "old")
    true = Path.rename

    def refuse(self: Path, other: Path) -> Path:
        if other == target and self == new and not target.exists():
            raise OSError(28, "No space left on device")
        return true(self, other)

    monkeypatch.setattr(Path, "rename", refuse)
    monkeypatch.setattr(exchange, "_exchanged", lambda *given: False)
    with pytest.raises(OSError, match="No space"):
        exchange.place(new, target)
    assert (content(target), content(new)) == ("old", "new")


def test_killed_between_two_renames_the_old_one_is_put_back(new: Path) -> None:
    target = directory(new.with_name("voice"), "old")
    script = """
import os, signal, sys
from pathlib import Path
from wn_runtime import exchange
new, target = map(Path, sys.argv[1:])
exchange._exchanged = lambda *given: False
true = Path.rename
def rename(self, other):
    made = true(self, other)
    if other.name.endswith(".old"):
        os.kill(os.getpid(), signal.SIGKILL)
    return made
Path.rename = rename
exchange.place(new, target)
"""
    done = subprocess.run([sys.executable, "-c", script, new, target], check=False)
    assert done.returncode == -9
    assert not target.exists()
    exchange.restore(target)
    assert content(target) == "old"
    assert content(new) == "new", "which the next export clears"


def test_what_was_left_after_both_renames_is_cleared(new: Path) -> None:
    target = directory(new.with_name("voice"), "new")
    directory(new.with_name(".voice.0123abcd.part.old"), "old")
    exchange.restore(target)
    assert sorted(path.name for path in target.parent.iterdir()) == [new.name, "voice"]
    assert content(target) == "new"


def test_one_that_is_between_its_renames_now_is_left_to_it(
    new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = directory(new.with_name("voice"), "old")
    monkeypatch.setattr(exchange, "_exchanged", lambda *given: False)
    seen: list[bool] = []
    true = Path.rename

    def rename(self: Path, other: Path) -> Path:
        made = true(self, other)
        if other.name.endswith(".old"):
            exchange.restore(target)  # as another export would
            seen.append(target.exists())
        return made

    monkeypatch.setattr(Path, "rename", rename)
    exchange.place(new, target)
    assert seen == [False]
    assert content(target) == "new"


def test_where_nobody_may_look_nothing_was_left(new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    target = new.with_name("voice")
    assert exchange.left(target) == [new]
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert exchange.left(target) == []
    exchange.restore(target)


def test_an_error_of_the_system_is_raised(new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        exchange.place(new, new.with_name("voice"))
