"""A file of frames: read as it is, or one line on what it is instead."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wn_runtime.conditioning import frame_file
from wn_runtime.errors import WavestepError

FRAMES = np.arange(12, dtype=np.float64).reshape(4, 3) / 8


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("order", [np.ascontiguousarray, np.asfortranarray])
def test_frames_come_back_whatever_their_type_and_order(
    tmp_path: Path, dtype: type, order: Callable[[np.ndarray], np.ndarray]
) -> None:
    path = tmp_path / "mel.npy"
    np.save(path, order(FRAMES.astype(dtype)))
    assert frame_file.shape(path) == (4, 3)
    found = frame_file.read(path)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, FRAMES)


def saved(array: np.ndarray) -> Callable[[Path], object]:
    return lambda path: np.save(path, array, allow_pickle=True)


def changed(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        np.save(path, FRAMES.astype(np.float32))
        path.write_bytes(change(path.read_bytes()))

    return write


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, r"mel\.npy does not exist; give a \.npy file of frames"),
        (lambda path: path.write_bytes(b""), "it is no array that NumPy saved"),
        (lambda path: path.write_bytes(b"RIFF" * 100), "it is no array that NumPy saved"),
        (saved(np.array([[None]])), r"it is \|O \(1, 1\); .*; save it as \.astype\('<f4'\)"),
        (saved(FRAMES.astype(int)), r"it is <i8 \(4, 3\); frames are float32"),
        (saved(FRAMES.astype(">f4")), r"it is >f4 \(4, 3\); .*; save it as \.astype\('<f4'\)"),
        (saved(FRAMES[:, 0]), r"it is <f8 \(4,\); frames are .* \(frames, channels\)"),
        (saved(FRAMES[None]), r"it is <f8 \(1, 4, 3\)"),
        (saved(FRAMES[:0]), r"it is empty, \(0, 3\)"),
        (saved(FRAMES[:, :0]), r"it is empty, \(4, 0\)"),
        (saved(np.where(FRAMES[2, 1] == FRAMES, np.nan, FRAMES)), "frame 2 holds NaN or infinity"),
        (saved(np.where(FRAMES == 0, 1e300, FRAMES)), "frame 0 holds NaN or infinity"),
        (changed(lambda data: data[:-1]), "it has 175 bytes, its head says 176: cut short"),
        (changed(lambda data: data + b"x"), "it has 177 bytes, its head says 176"),
        (changed(lambda data: data.replace(b"(4, 3)", b"(9, 9)")), "its head says 452"),
        (changed(lambda data: data.replace(b"(4, 3)", b"__im__")), "it is no array"),
        (os.mkfifo, "it is a named pipe, not a file"),
        (os.mkdir, "it is a directory, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a device"),
    ],
)
def test_what_is_no_file_of_frames_is_one_line(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / "mel.npy"
    make(path)
    with pytest.raises(WavestepError, match=message) as told:
        frame_file.read(path)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "mel.npy", FRAMES)
    monkeypatch.setattr(frame_file, "MOST_BYTES", 100)
    with pytest.raises(WavestepError, match="it has 224 bytes, over 100; cut it"):
        frame_file.shape(tmp_path / "mel.npy")
