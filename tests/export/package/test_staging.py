"""A model directory is replaced as a whole or not at all, and never someone else's folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.models import model_dir, specs
from wn_export.package.staging import Staged, staged
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return model_dir.write_model(tmp_path / "voice", specs.PLAIN)


def beside(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.parent.iterdir())


def fill(stage: Staged) -> None:
    model_dir.write_model(stage.path, specs.CORNERS["kernel_3"])


def export_that_fails(target: Path, fault: BaseException) -> None:
    with staged(target) as stage:
        fill(stage)
        raise fault


def export_that_must_not_begin(target: Path) -> None:
    with staged(target):
        pytest.fail("must not come here")


def test_a_new_directory_appears_only_when_published(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "voice"
    with staged(target) as stage:
        fill(stage)
        assert not target.exists()
        stage.publish()
    assert manifest.read(target).spec.kernel == 3
    assert beside(target) == ["voice"]


def test_the_old_directory_is_replaced_and_its_leftovers_go(old: Path) -> None:
    (old / "report.html").write_text("of the old model")
    with staged(old) as stage:
        fill(stage)
        stage.publish()
    assert manifest.read(old).spec.kernel == 3
    assert not (old / "report.html").exists()
    assert beside(old) == ["voice"]


def test_what_a_user_put_into_the_directory_is_kept(old: Path) -> None:
    (old / "notes").mkdir()
    (old / "notes" / "theo.txt").write_text("sounds like theo")
    with staged(old) as stage:
        fill(stage)
        stage.publish()
    assert (old / "notes" / "theo.txt").read_text() == "sounds like theo"


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), RuntimeError("a bug")])
def test_an_interrupted_export_leaves_the_old_directory_and_nothing_else(
    old: Path, fault: BaseException
) -> None:
    before = model_dir.records(old)
    with pytest.raises(type(fault)):
        export_that_fails(old, fault)
    assert model_dir.records(old) == before
    assert beside(old) == ["voice"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_full_or_read_only_disk_is_one_line_and_the_old_directory_stays(
    old: Path, code: int
) -> None:
    before = model_dir.records(old)
    with pytest.raises(WavestepError, match=rf"voice cannot be written: {os.strerror(code)}"):
        export_that_fails(old, OSError(code, os.strerror(code)))
    assert model_dir.records(old) == before
    assert beside(old) == ["voice"]


def test_of_folders_made_for_an_export_that_fails_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        export_that_fails(tmp_path / "a" / "b" / "voice", RuntimeError("a bug"))
    assert not list(tmp_path.iterdir())


def test_failed_exports_go_aside_and_replace_only_an_older_failure(old: Path) -> None:
    before = model_dir.records(old)
    for kernel in ("kernel_3", "uneven"):
        with staged(old) as stage:
            model_dir.write_model(stage.path, specs.CORNERS[kernel])
            failed = stage.set_aside()
        assert failed.name == "voice.failed"
        assert manifest.read(failed).spec == specs.CORNERS[kernel]
    assert model_dir.records(old) == before
    assert beside(old) == ["voice", "voice.failed"]


def test_a_folder_that_is_not_a_model_directory_is_never_replaced(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    (music / "song.wav").write_bytes(b"irreplaceable")
    with pytest.raises(WavestepError, match=r"music is not a model directory \(it holds 'song"):
        export_that_must_not_begin(music)
    assert (music / "song.wav").read_bytes() == b"irreplaceable"

    (tmp_path / "voice.failed").mkdir()
    (tmp_path / "voice.failed" / "essay.txt").write_text("mine")
    with pytest.raises(WavestepError, match=r"voice\.failed is not a model directory"):
        export_that_must_not_begin(tmp_path / "voice")


def test_a_file_in_the_way_is_refused_and_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WavestepError, match="file exists and is not a directory"):
        export_that_must_not_begin(tmp_path / "file")
    with pytest.raises(WavestepError, match=r"voice cannot be written: (File exists|Not a dir)"):
        export_that_must_not_begin(tmp_path / "file" / "voice")
    (tmp_path / "empty").mkdir()
    with staged(tmp_path / "empty") as stage:
        fill(stage)
        stage.publish()
    assert manifest.read(tmp_path / "empty").name


def test_through_a_link_the_directory_it_names_is_replaced(old: Path, tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to(old)
    with staged(link) as stage:
        fill(stage)
        stage.publish()
    assert link.is_symlink()
    assert manifest.read(old).spec.kernel == 3


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("/", "/ cannot be a model directory"),
        ("v" * 249, "has too long a name"),
        ("v" * 300, "has too long a name|File name too long"),
        ("loop", "loop is a link that leads to itself|loop exists and is not a directory"),
        ("pipe", "pipe exists and is not a directory"),
        ("/dev/null", "/dev/null exists and is not a directory"),
        ("/proc/self/voice", "voice cannot be written: "),
        ("pipe/voice", "voice cannot be written: (File exists|Not a dir)"),
    ],
)
def test_a_place_where_no_directory_can_be_is_one_line(
    tmp_path: Path, name: str, fault: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(WavestepError, match=fault):
        export_that_must_not_begin(tmp_path / name)
    assert beside(tmp_path / "pipe") == ["loop", "pipe"]


def test_another_projects_manifest_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "extension").mkdir()
    (tmp_path / "extension" / "manifest.json").write_text('{"manifest_version": 3}')
    with pytest.raises(WavestepError, match=r"extension is not a model directory \(.*manifest"):
        export_that_must_not_begin(tmp_path / "extension")


def test_a_directory_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    def export(target: Path) -> None:
        with staged(target) as stage:
            fill(stage)
            target.mkdir()
            (target / "song.wav").write_bytes(b"irreplaceable")
            stage.publish()

    with pytest.raises(WavestepError, match="voice is not a model directory"):
        export(tmp_path / "voice")
    assert beside(tmp_path / "voice") == ["voice"]
    assert (tmp_path / "voice" / "song.wav").exists()


def test_what_a_user_put_into_a_failed_one_is_kept_too(old: Path) -> None:
    for _ in range(2):
        with staged(old) as stage:
            fill(stage)
            failed = stage.set_aside()
        (failed / "notes.txt").write_text("why it failed")
    with staged(old) as stage:
        fill(stage)
        stage.set_aside()
    assert (failed / "notes.txt").read_text() == "why it failed"


def test_a_reader_that_has_gone_is_no_fault_of_the_disk(old: Path) -> None:
    with pytest.raises(BrokenPipeError):
        export_that_fails(old, BrokenPipeError(32, "Broken pipe"))
    assert beside(old) == ["voice"]
