"""What a user names for a result is written whole, through links and devices, or not touched."""

from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from wn_export.commands import result
from wn_runtime.errors import WavestepError


def write(path: Path, data: bytes = b"new") -> None:
    with result.opened(path) as take:
        take(data)


def must_not_begin(path: Path) -> None:
    with result.opened(path):
        pytest.fail("must not come here")


def test_a_file_is_made_or_replaced_whole(tmp_path: Path) -> None:
    for _ in range(2):
        write(tmp_path / "x.json")
        assert (tmp_path / "x.json").read_bytes() == b"new"
        assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), RuntimeError("a bug")])
def test_without_a_result_what_was_there_stays(tmp_path: Path, fault: BaseException) -> None:
    def fail() -> None:
        with result.opened(tmp_path / "x.json"):
            raise fault

    (tmp_path / "x.json").write_bytes(b"old")
    with pytest.raises(type(fault)):
        fail()
    assert (tmp_path / "x.json").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_link_goes_on_being_one(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "x.json").write_bytes(b"old")
    for name in ("x.json", "not yet.json"):
        link = tmp_path / f"to {name}"
        link.symlink_to(Path("there") / name)
        write(link)
        assert link.is_symlink()
        assert (tmp_path / "there" / name).read_bytes() == b"new"


def test_a_device_stays_one(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    for path in (Path("/dev/null"), tmp_path / "null"):
        write(path)
        assert stat.S_ISCHR(path.stat().st_mode)


def test_a_device_that_is_full_is_one_line() -> None:
    with pytest.raises(WavestepError, match=r"/dev/full cannot be written \(No space left"):
        write(Path("/dev/full"))
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_pipe_is_written_into_where_somebody_reads_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WavestepError, match=r"pipe cannot be written \(nobody reads it\)"):
        must_not_begin(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    found: list[bytes] = []

    def read() -> None:
        with os.fdopen(reader, "rb") as file:
            found.append(file.read())

    with result.opened(tmp_path / "pipe") as take:
        os.set_blocking(reader, True)
        thread = threading.Thread(target=read)
        thread.start()
        take(b"x" * 10**6)
    thread.join()
    assert found == [b"x" * 10**6]
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (".", "it is a directory"),
        ("/", "it is a directory"),
        ("missing/x.json", "there is no directory .*missing; make it first"),
        ("file/x.json", "Not a directory"),
        ("loop", "cannot be written"),
        ("x" * 300, "File name too long"),
        ("a\0b", "null|NUL"),
        ("/proc/self/x.json", "cannot be written"),
        ("socket", "neither file nor pipe"),
    ],
)
def test_where_nothing_can_be_written_is_told_beforehand(
    tmp_path: Path, name: str, fault: str
) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "socket"))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(WavestepError, match=fault):
        must_not_begin(tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_the_file_that_stdout_goes_to_is_not_replaced(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        before = os.dup(1)
        os.dup2(out.fileno(), 1)
        try:
            os.write(1, b"table\n")
            write(tmp_path / "out", b"rows\n")
            write(Path("/dev/stdout"), b"again\n")
        finally:
            os.dup2(before, 1)
            os.close(before)
    assert (tmp_path / "out").read_bytes() == b"table\nrows\nagain\n"


def test_a_file_of_a_model_is_not_replaced_by_whatever_name(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(exported / "manifest.json")
    before = {path.name: path.read_bytes() for path in exported.iterdir()}
    listed = [exported / name for name in ("manifest.json", "weights.safetensors", "step.onnx")]
    for path in (*listed, tmp_path / "link.json"):
        with pytest.raises(WavestepError, match=r"is a file of the model .*voice; give another"):
            must_not_begin(path)
    assert {path.name: path.read_bytes() for path in exported.iterdir()} == before
    write(exported / "speed.json")


@pytest.mark.parametrize("old", ["", " ", '{"rows": []}', '{"rows": [1], "more": 2}\n'])
def test_a_report_replaces_one_of_its_kind(tmp_path: Path, old: str) -> None:
    (tmp_path / "x.json").write_text(old)
    with result.opened_json(tmp_path / "x.json", {"rows"}) as take:
        take(b"{}")
    assert (tmp_path / "x.json").read_bytes() == b"{}"


@pytest.mark.parametrize(
    "old",
    [
        *(b"RIFF\x24\0\0\0WAVE", b"PK\x03\x04", b"7", b"{half", b"[" * 10**5, b"\xff\xfe"),
        *(b"[1]", b"{}", b'{"engines": []}'),
    ],
)
def test_a_report_replaces_nothing_else(tmp_path: Path, old: bytes) -> None:
    (tmp_path / "x").write_bytes(old)
    with (
        pytest.raises(WavestepError, match="x is there and is no report of this command; give"),
        result.opened_json(tmp_path / "x", {"rows"}),
    ):
        pytest.fail("must not come here")
    assert (tmp_path / "x").read_bytes() == old
