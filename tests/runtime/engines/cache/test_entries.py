"""Compiled code: found again, made anew when damaged, refused or another's, always whole."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wn_runtime.engines.cache import entries
from wn_runtime.engines.cache.entries import Entry, cached, load
from wn_runtime.errors import EngineUnavailable, WavestepError

ENTRY = Entry("native", "code.so", ("source", "flags"))
Make = Callable[[Path], None]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "wavestep"


def writing(text: str) -> Make:
    def make(path: Path) -> None:
        path.write_text(text)

    return make


def never(path: Path) -> None:
    raise AssertionError("made again")


def test_an_entry_is_made_once_and_private(home: Path) -> None:
    code = cached(ENTRY, writing("one"))
    assert cached(ENTRY, never) == code
    assert (code.name, code.read_text()) == ("code.so", "one")
    assert code.parent == home / ENTRY.name
    for directory in (home, code.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "other",
    [
        Entry("cubin", "code.so", ("source", "flags")),
        Entry("native", "code.so", ("source!", "flags")),
        Entry("native", "code.so", ("source", "flags!")),
        Entry("native", "code.so", ("source",)),
        Entry("native", "code.so", ("source", "flags", "")),
        Entry("native", "code.so", ("flags", "source")),
        Entry("native", "code.so", ("sourceflags",)),
        Entry("native", "code.so", ("sourc", "eflags")),
    ],
)
def test_another_of_anything_it_depends_on_is_another_entry(other: Entry) -> None:
    cached(ENTRY, writing("one"))
    assert cached(other, writing("two")).read_text() == "two"
    assert cached(ENTRY, never).read_text() == "one"
    assert other.name.startswith(f"{other.kind}-")


def truncate(entry: Path) -> None:
    (entry / "code.so").write_text("on")


def remove_the_checksum(entry: Path) -> None:
    (entry / "sha256").unlink()


def scramble_the_checksum(entry: Path) -> None:
    (entry / "sha256").write_bytes(b"\xff")


def remove_the_code(entry: Path) -> None:
    (entry / "code.so").unlink()


def let_everybody_write_the_code(entry: Path) -> None:
    (entry / "code.so").chmod(0o666)


def let_everybody_write_the_entry(entry: Path) -> None:
    entry.chmod(0o777)


def link_to_elsewhere(entry: Path) -> None:
    planted = entry.parent.parent / "planted"
    planted.write_text("one")
    (entry / "code.so").unlink()
    (entry / "code.so").symlink_to(planted)


def swell(entry: Path) -> None:
    os.truncate(entry / "code.so", 2**40)


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        swell,
        remove_the_checksum,
        scramble_the_checksum,
        remove_the_code,
        let_everybody_write_the_code,
        let_everybody_write_the_entry,
        link_to_elsewhere,
    ],
)
def test_an_entry_that_cannot_be_trusted_is_made_again(damage: Make, home: Path) -> None:
    damage(cached(ENTRY, writing("one")).parent)
    assert cached(ENTRY, writing("two")).read_text() == "two"
    assert cached(ENTRY, never).read_text() == "two"
    assert [path.name for path in home.iterdir()] == [ENTRY.name]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file to another user")
def test_what_another_user_owns_is_not_loaded() -> None:
    os.chown(cached(ENTRY, writing("one")), 12345, 12345)
    assert cached(ENTRY, writing("two")).read_text() == "two"


def test_a_failed_build_leaves_nothing_behind(home: Path) -> None:
    with pytest.raises(AssertionError):
        cached(ENTRY, never)
    assert list(home.iterdir()) == []


def test_what_nobody_used_for_a_month_is_deleted(home: Path) -> None:
    old = [Entry(kind, "code.so", ("old",)) for kind in entries.KINDS]
    used = Entry("native", "code.so", ("used",))
    places = [cached(entry, writing("one")).parent for entry in (*old, used)]
    # What a process that was killed left behind, and what is somebody else's.
    for name in (".part-x", ".old-x", "foreign"):
        places.append(home / name)
        places[-1].mkdir()
    for place in places:
        os.utime(place, (0, time.time() - 40 * 24 * 3600))
    cached(used, never)
    cached(ENTRY, writing("one"))
    assert {path.name for path in home.iterdir()} == {ENTRY.name, used.name, "foreign"}


def test_makers_at_the_same_time_all_get_one_whole_entry(home: Path) -> None:
    def slowly(text: str) -> Make:
        def make(path: Path) -> None:
            path.write_text(text[:1])
            time.sleep(0.05)
            path.write_text(text)

        return make

    with ThreadPoolExecutor(4) as pool:
        made = pool.map(lambda i: cached(ENTRY, slowly(f"whole {i}")).read_text(), range(4))
        assert all(text.startswith("whole ") for text in made)
    assert [path.name for path in home.iterdir()] == [ENTRY.name]


class Reader:
    """Reads an entry's text, and refuses what is not in `good`."""

    def __init__(self, *good: str) -> None:
        self.good, self.read = good, list[str]()

    def __call__(self, path: Path) -> str:
        text = path.read_text()
        self.read.append(text)
        if text not in self.good:
            raise WavestepError(f"{text!r} is not for this machine")
        return text


class Maker:
    """Writes the next of its texts at each call."""

    def __init__(self, *texts: str) -> None:
        self.left = list(texts)

    def __call__(self, path: Path) -> None:
        path.write_text(self.left.pop(0))


def test_what_is_good_is_made_once_and_read_each_time() -> None:
    make, read = Maker("good"), Reader("good")
    assert [load(ENTRY, make, read) for _ in range(3)] == ["good"] * 3
    assert read.read == ["good"] * 3


def test_an_entry_that_is_refused_is_made_anew_once(home: Path) -> None:
    cached(ENTRY, writing("stale"))
    read = Reader("fresh")
    assert load(ENTRY, Maker("fresh"), read) == "fresh"
    assert read.read == ["stale", "fresh"]
    assert load(ENTRY, never, read) == "fresh"
    assert [path.name for path in home.iterdir()] == [ENTRY.name]


def test_what_is_refused_when_just_made_is_a_reason_for_another_engine() -> None:
    make, read = Maker("bad", "worse", "never made"), Reader("good")
    with pytest.raises(EngineUnavailable, match=r"^'worse' is not for this machine, though just"):
        load(ENTRY, make, read)
    assert read.read == ["bad", "worse"]
    assert make.left == ["never made"]


def test_what_this_machine_lacks_is_said_at_once() -> None:
    def unavailable(path: Path) -> str:
        raise EngineUnavailable("this kernel allows no AMX")

    make = Maker("code", "never made")
    with pytest.raises(EngineUnavailable, match=r"^this kernel allows no AMX$"):
        load(ENTRY, make, unavailable)
    assert make.left == ["never made"]


def test_what_cannot_be_made_is_tried_once_and_said_as_it_is() -> None:
    tried: list[Path] = []

    def fails(path: Path) -> None:
        tried.append(path)
        raise WavestepError("cc could not compile the native engine (error: x); set $CC")

    with pytest.raises(WavestepError, match=r"set \$CC$") as error:
        load(ENTRY, fails, Reader("good"))
    assert not isinstance(error.value, EngineUnavailable)
    assert len(tried) == 1


def test_a_place_that_stays_broken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    code = cached(ENTRY, writing("one"))
    monkeypatch.setattr(entries, "_discard", lambda place: None)
    code.unlink()
    with pytest.raises(WavestepError, match="keeps coming back broken; delete"):
        cached(ENTRY, writing("two"))
