"""Only regular files are read, only of the directory they are asked of, and nothing blocks."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from wn_runtime import files


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


SPECIAL: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "it is a named pipe, not a file"),
    "directory": (Path.mkdir, "it is a directory, not a file"),
    "link to a device": (lambda path: path.symlink_to("/dev/zero"), "it is a device, not a file"),
    "socket": (a_socket, "No such device or address"),
}


@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_regular_file_is_refused_at_once(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    make, reason = SPECIAL[kind]
    path = Path("special")
    make(path)
    for read in (lambda p: files.read(p, 10), files.size_and_sha256):
        with pytest.raises(OSError, match=reason):
            read(path)


def test_a_name_with_a_nul_is_refused() -> None:
    with pytest.raises(OSError, match="NUL"):
        files.read(Path("a\0b"), 10)


def test_a_file_is_read_whole_up_to_the_most(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert files.read(path, 10) == b"0123456789"
    with pytest.raises(OSError, match="over 9"):
        files.read(path, 9)
    assert files.size_and_sha256(path) == (10, hashlib.sha256(b"0123456789").hexdigest())
    assert files.size_and_sha256(path, 9) == (10, "")


def test_an_endless_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(OSError, match="over"):
        files.read_text(path)
    assert files.size_and_sha256(path, 100) == (2**40, "")


def test_links_that_lead_out_of_a_directory_are_refused(tmp_path: Path) -> None:
    model, outside = tmp_path / "model", tmp_path / "secret"
    model.mkdir()
    outside.write_text("secret")
    (model / "out").symlink_to(outside)
    (model / "within").symlink_to("file")
    (model / "file").write_text("data")
    (model / "circle").symlink_to("circle")
    assert files.inside(model, "within") == model.resolve() / "file"
    with pytest.raises(OSError, match="leads out of the directory"):
        files.inside(model, "out")
    with pytest.raises(OSError, match=r"circle|symbolic links"):
        files.read(files.inside(model, "circle"), 10)
