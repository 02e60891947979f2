"""What a user put into a model directory is kept, whatever it is, and nothing of it is opened."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.models import model_dir, specs
from wn_export.package import foreign
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import FileRecord


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return model_dir.write_model(tmp_path / "voice", specs.PLAIN)


@pytest.fixture
def new(tmp_path: Path) -> Path:
    (tmp_path / "new").mkdir()
    return tmp_path / "new"


def test_nothing_that_wn_export_wrote_is_kept(old: Path, new: Path) -> None:
    (old / "report.html").write_text("of the old model")
    (old / ".manifest.json.0123abcd.part.json").write_text("of a writer that was killed")
    foreign.keep(old, new)
    assert not list(new.iterdir())


def test_files_folders_and_links_are_kept_as_they_are(old: Path, new: Path) -> None:
    (old / "notes" / "deep").mkdir(parents=True)
    (old / "notes" / "deep" / "theo.txt").write_text("sounds like theo")
    (old / "notes").chmod(0o555)
    (old / "song.wav").write_bytes(b"song")
    (old / "song.wav").chmod(0o640)
    (old / "dangling").symlink_to("nowhere")
    (old / "outside").symlink_to("/dev/zero")
    foreign.keep(old, new)
    assert (new / "notes" / "deep" / "theo.txt").read_text() == "sounds like theo"
    assert (new / "notes").stat().st_mode & 0o777 == 0o555
    assert (new / "song.wav").stat().st_mode & 0o777 == 0o640
    assert (new / "dangling").readlink() == Path("nowhere")
    assert (new / "outside").readlink() == Path("/dev/zero")
    assert (old / "song.wav").exists(), "until the new directory is in its place"


def no_second_names(*given: object, **more: object) -> NoReturn:
    raise PermissionError(1, "Operation not permitted")


def test_where_a_file_can_have_no_second_name_it_is_copied(
    old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_second_names)
    test_files_folders_and_links_are_kept_as_they_are(old, new)
    assert not (new / "song.wav").samefile(old / "song.wav")


def test_a_named_pipe_blocks_nothing(old: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(old / "pipe")
    foreign.keep(old, new)
    assert (new / "pipe").is_fifo()
    (new / "pipe").unlink()
    monkeypatch.setattr(os, "link", no_second_names)
    with pytest.raises(WavestepError, match=r"pipe is neither file nor folder; move it away"):
        foreign.keep(old, new)


def test_a_manifest_cannot_claim_what_it_has_not_seen(old: Path, new: Path) -> None:
    (old / "thesis.txt").write_text("years of work")
    manifest = manifests.read(old)
    claimed = {**manifest.files, "thesis.txt": FileRecord("0" * 64, 3)}
    manifests.write(old, dataclasses.replace(manifest, files=claimed))
    foreign.keep(old, new)
    assert (new / "thesis.txt").read_text() == "years of work"


def test_what_the_manifest_has_as_it_is_is_an_exports(old: Path, new: Path) -> None:
    (old / "native.int8.so").write_bytes(b"compiled")
    manifests.write(old, manifests.with_file(manifests.read(old), old / "native.int8.so"))
    foreign.keep(old, new)
    assert not list(new.iterdir())


def test_with_a_broken_manifest_all_but_our_names_is_kept(old: Path, new: Path) -> None:
    (old / "manifest.json").write_text("{")
    (old / "notes.txt").write_text("mine")
    foreign.keep(old, new)
    assert [path.name for path in new.iterdir()] == ["notes.txt"]


def a_folder_of_ours(old: Path) -> None:
    (old / "report.html").mkdir()
    (old / "report.html" / "mine.txt").write_text("mine")


def a_deep_folder(old: Path) -> None:
    (old / "/".join(["a"] * 70)).mkdir(parents=True)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (a_folder_of_ours, r"report\.html is a directory, where wn-export writes a file"),
        (a_deep_folder, "lies over 64 folders deep; move it away first"),
    ],
)
def test_what_cannot_be_kept_is_told_and_stays(
    old: Path, new: Path, spoil: Callable[[Path], None], fault: str
) -> None:
    spoil(old)
    before = sorted(old.rglob("*"))
    with pytest.raises(WavestepError, match=fault):
        foreign.keep(old, new)
    assert sorted(old.rglob("*")) == before
