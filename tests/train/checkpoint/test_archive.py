"""The archive of a checkpoint: stored members, of a size known before they are read."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.train.checkpoint.made import archive, members, refusal, written
from wn_train import checkpoint
from wn_train.checkpoint.archive import MOST_DIRECTORY, MOST_PICKLE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "voice.pt")


def test_what_zipfile_writes_is_read_too(path: Path) -> None:
    path.write_bytes(archive(members(path)))
    assert checkpoint.load(path).name == "voice"


def test_a_compressed_member_is_not_unpacked(path: Path) -> None:
    path.write_bytes(archive(members(path), zipfile.ZIP_DEFLATED))
    assert "data.pkl is compressed" in refusal(path)


def test_a_pickle_that_is_too_long_is_not_read(path: Path) -> None:
    content = {"voice/data.pkl": b"N" * (MOST_PICKLE + 1)}
    path.write_bytes(archive(content))
    assert f"over {MOST_PICKLE}" in refusal(path)


def test_a_member_that_is_there_twice_is_not_guessed_at(path: Path) -> None:
    content = members(path)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as file:
        file.writestr(next(iter(content)), b"another")
    assert "holds a member twice" in refusal(path)


@pytest.mark.parametrize(
    "content", [{}, {"voice/other": b""}, {"data.pkl": b""}, {"a/data.pkl": b"", "b/data.pkl": b""}]
)
def test_an_archive_without_one_pickle_in_a_folder_is_no_checkpoint(
    path: Path, content: dict[str, bytes]
) -> None:
    path.write_bytes(archive(content))
    assert "has no data.pkl" in refusal(path)


def test_a_tensor_without_its_numbers_is_refused(path: Path) -> None:
    content = members(path)
    del content["voice/data/3" if "voice/data/3" in content else "archive/data/3"]
    path.write_bytes(archive(content))
    assert "has no data/3" in refusal(path)


@pytest.mark.parametrize("change", [lambda data: data + b"\0" * 4, lambda data: data[:-4]])
def test_a_storage_of_another_size_than_its_tensor_is_not_read_past_its_end(
    path: Path, change: Callable[[bytes], bytes]
) -> None:
    content = members(path)
    name = next(name for name in content if name.endswith("/data/0"))
    path.write_bytes(archive({**content, name: change(content[name])}))
    assert "data/0 has" in refusal(path)


def test_a_list_of_members_that_is_too_long_is_not_read(path: Path) -> None:
    data = bytearray(archive(members(path)))
    assert data[-22:-18] == b"PK\5\6"
    data[-10:-6] = struct.pack("<L", MOST_DIRECTORY + 1)
    path.write_bytes(data)
    assert "its list of members has" in refusal(path)


def test_nor_one_of_the_longer_kind_that_torch_writes(path: Path) -> None:
    data = bytearray(path.read_bytes())
    assert data[-98:-94] == b"PK\6\6"
    data[-98 + 40 : -98 + 48] = struct.pack("<Q", MOST_DIRECTORY + 1)
    path.write_bytes(data)
    assert "its list of members has" in refusal(path)
    data[-42 + 8 : -42 + 16] = struct.pack("<Q", 0)  # where that list's own record is
    path.write_bytes(data)
    assert "not where torch.save puts it" in refusal(path)


def test_a_comment_at_the_end_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as file:
        file.comment = b"PK\5\6" + b"\1" * 40
    assert "it was not opened" in refusal(path)


def test_numbers_of_a_big_endian_machine_are_refused(path: Path) -> None:
    content = members(path)
    name = next(name for name in content if name.endswith("/byteorder"))
    path.write_bytes(archive({**content, name: b"big"}))
    assert "another byte order" in refusal(path)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    assert "it is a named pipe, not a file" in refusal(tmp_path / "pipe.pt")
    (tmp_path / "folder.pt").mkdir()
    assert "folder.pt cannot be read" in refusal(tmp_path / "folder.pt")
    assert "it is a device, not a file" in refusal(Path("/dev/zero"))


def test_a_sparse_file_of_a_terabyte_is_refused_at_once(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2**40)
    assert "it was not opened" in refusal(path)
