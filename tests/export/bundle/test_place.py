"""A bundle comes whole or not at all, and never in the place of what is not one."""

from __future__ import annotations

import errno
import os
import tarfile
from pathlib import Path

import pytest

from wn_export.bundle import place
from wn_runtime.errors import WavestepError


def contents(tmp_path: Path, word: str = "new") -> dict[str, bytes | Path]:
    copied = tmp_path / "copied"
    copied.write_text(word)
    rest: dict[str, bytes | Path] = {"README.txt": word.encode(), "model/weights": copied}
    sums = "".join(f"{place.digest(what)}  {name}\n" for name, what in rest.items())
    return {place.SUMS: sums.encode(), place.INSTALL: b"#!/bin/sh\n", **rest}


def beside(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


@pytest.fixture(params=["out", "out.tar"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "where").mkdir()
    found: Path = tmp_path / "where" / request.param
    return found


def read(path: Path, name: str) -> bytes:
    if path.suffix != place.TAR:
        return (path / name).read_bytes()
    with tarfile.open(path) as archive:
        file = archive.extractfile(f"{path.stem}/{name}")
        assert file is not None
        return file.read()


def test_it_is_there_with_every_file_and_nothing_beside_it(path: Path, tmp_path: Path) -> None:
    place.put(place.checked(path), contents(tmp_path))
    assert read(path, "model/weights") == b"new"
    assert beside(path) == [path.name]


def test_another_bundle_is_replaced_whole(path: Path, tmp_path: Path) -> None:
    older = {**contents(tmp_path, "old"), "model/gone": b""}
    sums = older[place.SUMS]
    assert isinstance(sums, bytes)
    place.put(path, {**older, place.SUMS: sums + b"0  model/gone\n"})
    place.put(place.checked(path), contents(tmp_path))
    assert read(path, "README.txt") == b"new"
    with pytest.raises((KeyError, FileNotFoundError)):
        read(path, "model/gone")


def test_what_fails_leaves_the_old_one_and_nothing_else(path: Path, tmp_path: Path) -> None:
    place.put(path, contents(tmp_path, "old"))
    broken = {**contents(tmp_path), "wheels/missing.whl": tmp_path / "nowhere"}
    with pytest.raises(FileNotFoundError):
        place.put(path, broken)
    assert read(path, "README.txt") == b"old"
    assert beside(path) == [path.name]


@pytest.mark.parametrize(
    "fault", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()]
)
def test_a_full_disk_or_ctrl_c_leaves_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("shutil.copyfile", stop)
    monkeypatch.setattr("tarfile.TarFile.addfile", stop)
    with pytest.raises(type(fault)):
        place.put(path, contents(tmp_path))
    assert beside(path) == [], "beside it"


def test_the_same_contents_are_the_same_tar_whenever_and_by_whom(tmp_path: Path) -> None:
    place.put(tmp_path / "a" / "out.tar", contents(tmp_path))
    os.utime(tmp_path / "copied", (1, 1))
    (tmp_path / "copied").chmod(0o600)
    place.put(tmp_path / "b" / "out.tar", contents(tmp_path))
    assert (tmp_path / "a/out.tar").read_bytes() == (tmp_path / "b/out.tar").read_bytes()
    with tarfile.open(tmp_path / "a/out.tar") as archive:
        members = {each.name: each for each in archive}
    assert next(iter(members)) == "out/SHA256SUMS"
    assert {each.mtime for each in members.values()} == {315532800}
    assert {each.uid for each in members.values()} == {0}
    assert members["out/install.sh"].mode == 0o755


@pytest.mark.parametrize(
    ("name", "made", "reason"),
    [
        ("out", "out/notes.txt", "is not a bundle (it has no SHA256SUMS)"),
        ("out.tar", "out.tar", "is not a bundle (it does not begin with SHA256SUMS)"),
        ("out", "out", "is a file, and no .tar"),
        ("out.tar", "out.tar/any", "is not a file"),
    ],
)
def test_what_is_no_bundle_stays(tmp_path: Path, name: str, made: str, reason: str) -> None:
    file = tmp_path / made
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    with pytest.raises(WavestepError) as error:
        place.checked(tmp_path / name)
    assert str(error.value) == (
        f"{tmp_path / name} {reason}, so it is not replaced; move it away, or give another --bundle"
    )
    assert file.read_text() == "mine"


def test_a_bundle_that_somebody_put_something_into_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    place.put(out, contents(tmp_path))
    (out / "model" / "mine.wav").write_text("mine")
    with pytest.raises(WavestepError, match=r"holds 'model/mine.wav', which is not of a bundle"):
        place.checked(out)
    (out / "model" / "mine.wav").unlink()
    (out / "link").symlink_to(tmp_path)
    with pytest.raises(WavestepError, match="holds 'link'"):
        place.checked(out)


def test_an_empty_folder_is_free(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    place.put(place.checked(tmp_path / "out"), contents(tmp_path))
    assert read(tmp_path / "out", "README.txt") == b"new"


@pytest.mark.parametrize("name", ["out.tar.gz", "out.zip", "out.TGZ", "/", ".."])
def test_what_it_cannot_be_is_told(name: str) -> None:
    with pytest.raises(WavestepError, match="--bundle"):
        place.checked(Path(name))


def test_through_a_link_it_is_what_that_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert place.checked(tmp_path / "link") == tmp_path / "there"
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(WavestepError, match="leads nowhere"):
        place.checked(tmp_path / "circle")
